"""BatchNorm offsets and gains out of files of arrays; nothing is ever unpickled.

Read are ``.npz`` (NumPy, ``allow_pickle=False``) and ``.safetensors`` (a JSON header and plain
bytes). Two ways of naming are understood:

- a *state dict* as PyTorch names it: ``layer.weight``, ``layer.bias`` and ``layer.running_mean``;
  a layer with running averages is a BatchNorm. The file is one network, named after the file;
- a *collection*: ``network|layer|beta`` and, where there is a gain, ``network|layer|gamma``; a text
  entry ``consumers_json`` may map ``network|layer`` to what reads the layer, such as ``relu``.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

UNKNOWN = "unknown"
"""The consumer of a layer when the file does not say."""
_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U8": "|u1"}


@dataclass(frozen=True)
class NormLayer:
    """Offsets and gains [m] of one BatchNorm layer, and what reads its output."""

    network: str
    layer: str
    offset: np.ndarray
    gain: np.ndarray
    consumer: str = UNKNOWN


def norm_layers(paths: Iterable[str | Path], *, consumer: str = UNKNOWN) -> list[NormLayer]:
    """All BatchNorm layers in these files; a folder stands for the files in it, sorted by name.

    `consumer` is entered where a file does not say what reads a layer. Raises ValueError, naming
    the file, when it cannot be read without unpickling or holds no BatchNorm.
    """
    found: list[NormLayer] = []
    for path in _files(paths):
        arrays = read_arrays(path)
        collection = any(key.count("|") == 2 for key in arrays)
        layers = _collection(arrays, consumer) if collection else _state(arrays, path, consumer)
        if not layers:
            raise ValueError(
                f"{path}: no BatchNorm layer found; allowed: keys 'LAYER.bias' beside "
                "'LAYER.running_mean', or 'NETWORK|LAYER|beta'"
            )
        found += layers
    return found


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of one file by name."""
    try:
        if path.suffix == ".safetensors":
            return _safetensors(path)
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as archive:
                return {key: archive[key] for key in archive.files}
    except (ValueError, OSError, KeyError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: cannot be read as plain arrays: {error}") from None
    raise ValueError(f"{path}: allowed: .npz, .safetensors, or a folder of these")


def _files(paths: Iterable[str | Path]) -> list[Path]:
    found: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.suffix in (".npz", ".safetensors"))
            if not inside:
                raise ValueError(f"{path}: no .npz and no .safetensors file in this folder")
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise ValueError(f"{path}: no such file or folder")
    return found


def _safetensors(path: Path) -> dict[str, np.ndarray]:
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    found = {}
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] not in _DTYPES:
            continue
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        values = np.frombuffer(content[begin:end], _DTYPES[entry["dtype"]])
        found[name] = values.reshape(entry["shape"])
    return found


def _state(arrays: Mapping[str, np.ndarray], path: Path, consumer: str) -> list[NormLayer]:
    found = []
    for key in arrays:
        layer = key.removesuffix(".running_mean")
        if layer == key or f"{layer}.bias" not in arrays:
            continue
        offset = arrays[f"{layer}.bias"]
        gain = arrays.get(f"{layer}.weight")
        found.append(_made(path.stem, layer, offset, gain, consumer))
    return found


def _collection(arrays: Mapping[str, np.ndarray], consumer: str) -> list[NormLayer]:
    said = json.loads(str(arrays["consumers_json"])) if "consumers_json" in arrays else {}
    found = []
    for key in arrays:
        network, _, rest = key.partition("|")
        layer = rest.removesuffix("|beta")
        if layer == rest:
            continue
        gain = arrays.get(f"{network}|{layer}|gamma")
        reader = said.get(f"{network}|{layer}", consumer)
        found.append(_made(network, layer, arrays[key], gain, reader))
    return found


def _made(
    network: str, layer: str, offset: np.ndarray, gain: np.ndarray | None, consumer: str
) -> NormLayer:
    offset = offset.astype(np.float64)
    gain = np.ones_like(offset) if gain is None else gain.astype(np.float64)
    if offset.ndim != 1 or offset.shape != gain.shape or not np.isfinite([offset, gain]).all():
        raise ValueError(
            f"{network}, layer {layer}: offsets {offset.shape} and gains {gain.shape}; allowed: "
            "one finite number a channel"
        )
    return NormLayer(network, layer, offset, gain, consumer)
