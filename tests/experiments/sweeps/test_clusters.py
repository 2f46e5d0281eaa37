"""Other machines: a Dask cluster of two, and jobs as Slurm has them."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from tests.experiments.sweeps.test_engine import ends_its_process, plain_table
from tests.experiments.sweeps.traced import ends, here, is_alone, probes, quick, run, traced
from umnist_core.errors import InvalidValueError, MissingFileError, NetworkError
from umnist_core.experiments.sweeps.cluster import DaskExecutor, SlurmExecutor
from umnist_core.experiments.sweeps.results import iter_results

distributed = pytest.importorskip("distributed")


def test_dask_cluster_of_two_gives_the_same_table(tmp_path: Path) -> None:
    """Two workers of a cluster run each cell once; one that ends its process fails alone."""
    sweep = probes(3, 4)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=2, processes=True, dashboard_address=None
    ) as cluster:
        executor = DaskExecutor(cluster.scheduler_address)
        summary = run(sweep, tmp_path / "dask", executor=executor)
        assert (summary.done, summary.ran) == (12, 12)
        assert ends(tmp_path / "dask") == {cell.name: 1 for cell in sweep.cells}
        assert is_alone(tmp_path / "dask")
        run(sweep, tmp_path / "plain", quick, executor=here)
        assert plain_table(tmp_path / "dask") == plain_table(tmp_path / "plain")
        deadly = run(probes(2, 1), tmp_path / "deadly", ends_its_process, executor=executor)
        assert (deadly.done, deadly.failed) == (1, 1)
        (failed,) = [one for one in iter_results(tmp_path / "deadly") if not one.is_done]
        assert "see the workers' logs" in failed.error


def test_cluster_that_is_not_there_is_said(tmp_path: Path) -> None:
    """No scheduler and no address are sentences, and the folder is as it was."""
    with pytest.raises(NetworkError, match="Expected a Dask scheduler at"):
        run(probes(1, 1), tmp_path, executor=DaskExecutor("tcp://127.0.0.1:9"))
    with pytest.raises(InvalidValueError, match="is like tcp://"):
        run(probes(1, 1), tmp_path, executor=DaskExecutor("here"))
    assert [*iter_results(tmp_path)] == []


def test_jobs_of_submitit_run_every_cell_once(tmp_path: Path) -> None:
    """Two jobs share the cells; submitit's own processes of this machine stand in for Slurm's."""
    pytest.importorskip("submitit")
    sweep = probes(2, 3)
    executor = SlurmExecutor(2, {"timeout_min": 5}, cluster="local")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # submitit leaves the files of its processes to the end
        summary = run(sweep, tmp_path, traced, executor=executor)
    assert summary.done == summary.cells == 6
    assert ends(tmp_path) == {cell.name: 1 for cell in sweep.cells}
    run(sweep, tmp_path / "plain", quick, executor=here)
    assert plain_table(tmp_path) == plain_table(tmp_path / "plain")


def test_slurm_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without sbatch, and with options that submitit does not know, there is a sentence."""
    pytest.importorskip("submitit")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingFileError, match="Expected Slurm on this machine"):
        run(probes(1, 1), tmp_path, executor=SlurmExecutor(1))
    with pytest.raises(InvalidValueError, match="correct --slurm-set"):
        run(probes(1, 1), tmp_path, executor=SlurmExecutor(1, {"speed": 3}, cluster="local"))
