"""The README of a written set: how others' tools load it."""

from __future__ import annotations

from pathlib import Path

from umnist_core.datasets.large_scale.sets import read_name
from umnist_core.datasets.read_me import MNIST_LICENCE, READ_ME, STAND_IN_LICENCE

README = READ_ME

_HEAD = """\
# MNIST Large Scale, made by umnist

Digits of MNIST at scales from 1/2 to 8 in images of 112 x 112 px, after the data set of Jansson and
Lindeberg ("Exploring the ability of CNNs to generalise to previously unseen scales over wide scale
ranges", ICPR 2020; "Scale-invariant scale-channel networks", JMIV 64, 2022,
doi 10.1007/s10851-022-01082-2). These are not their files (doi 10.5281/zenodo.3820247): they were
made anew from MNIST by the recipe that they describe. Cite them and MNIST.
{stand_in}
## Licence

{licence}

## Files

{files}

`sctr` is the scale of the digits to learn from and `scte` that of those to test with; `1p000-4p000`
is a range, in which every doubling is equally likely. Files without `sctr` are to test with alone:
their one training and one validation image are there for loaders that ask for all partitions, and
are not to be used.

## Partitions

| name | shape | type | values |
|---|---|---|---|
| `x_train`, `x_val`, `x_test` | (n, 112, 112, 1): image, row, column, channel | float32 | {range} |
| `y_train`, `y_val`, `y_test` | (n,) | int32 | the digit, 0 to 9 |

The one training or validation image of a file to test with has the shape (112, 112, 1).
"""

_RANGE = "-0.763 for background to 0.761 for ink"

_TRAINING = """
## Loading a file to learn from

With Python; leave `[:n]` away to load all of it, which takes 50 kB of memory for each image:

```python
import h5py
import numpy as np

n = 1000
with h5py.File("{name}", "r") as file:
    x_train = np.asarray(file["/x_train"][:n], dtype=np.float32)
    y_train = np.asarray(file["/y_train"][:n], dtype=np.int32)
    x_val = np.asarray(file["/x_val"][:n], dtype=np.float32)
    y_val = np.asarray(file["/y_val"][:n], dtype=np.int32)
    x_test = np.asarray(file["/x_test"][:n], dtype=np.float32)
    y_test = np.asarray(file["/y_test"][:n], dtype=np.int32)
print(x_train.shape, y_train.shape)
```

With Matlab, which has the axes in reverse order, so that they are turned round:

```matlab
name = '{name}';
x_train = permute(h5read(name, '/x_train'), [4 3 2 1]);
y_train = h5read(name, '/y_train');
x_val = permute(h5read(name, '/x_val'), [4 3 2 1]);
y_val = h5read(name, '/y_val');
x_test = permute(h5read(name, '/x_test'), [4 3 2 1]);
y_test = h5read(name, '/y_test');
```
"""

_TESTING = """
## Loading a file to test with

With Python:

```python
import h5py
import numpy as np

with h5py.File("{name}", "r") as file:
    x_test = np.asarray(file["/x_test"], dtype=np.float32)
    y_test = np.asarray(file["/y_test"], dtype=np.int32)
print(x_test.shape, y_test.shape)
```

With Matlab:

```matlab
name = '{name}';
x_test = permute(h5read(name, '/x_test'), [4 3 2 1]);
y_test = h5read(name, '/y_test');
```
"""


_STAND_IN = """
**The last set was made from stand-in digits, not MNIST**: results on it say nothing about MNIST.
"""


def readme_text(folder: Path, *, stand_in: bool) -> str:
    """Return the README of a folder, for the files that are in it now.

    Parameters
    ----------
    folder
        With the files.
    stand_in
        Whether the set that was written last is of stand-in digits.
    """
    words = {path.name: read_name(path.name) for path in sorted(folder.glob("*.h5"))}
    names = [name for name, said in words.items() if said.splits]
    files = "\n".join(f"- `{name}`" for name in names)
    licence = STAND_IN_LICENCE if stand_in else MNIST_LICENCE
    note = _STAND_IN if stand_in else ""
    text = _HEAD.format(files=files, range=_RANGE, stand_in=note, licence=licence)
    training = next((name for name in names if "train" in words[name].splits), None)
    testing = next((name for name in names if words[name].splits == ("test",)), None)
    text += _TRAINING.format(name=training) if training else ""
    return text + (_TESTING.format(name=testing) if testing else "")
