"""What Megapixel MNIST asks of a scene, for tests that know that it is one."""

from __future__ import annotations

from umnist_core.scenes import MegapixelTasks, Scene


def megapixel_tasks(scene: Scene) -> MegapixelTasks:
    """Return the four labels of a scene of Megapixel MNIST."""
    tasks = scene.tasks
    assert isinstance(tasks, MegapixelTasks)
    return tasks
