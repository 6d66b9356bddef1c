"""The file format of records: JSON with a plain array file beside it.

`results/<experiment>/<name>.json` holds everything but the arrays, `<name>.npz` beside it holds
the arrays (never pickled). The JSON states the shape of each array and the checksum of the array
file, so that a pair which does not belong together is noticed.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ssl_dynamics.records.record import NAME, SCHEMA, Record, RecordError

_JSON_FIELDS: dict[str, type | tuple[type, ...]] = {
    "schema": int,
    "experiment": str,
    "name": str,
    "config": dict,
    "seeds": list,
    "axes": dict,
    "device": str,
    "versions": dict,
    "revision": str,
    "wall_s": (int, float),
    "command": str,
    "created": str,
}


def save(record: Record, folder: str | Path = "results", *, overwrite: bool = False) -> Path:
    """Write `folder/<experiment>/<name>.json` and `.npz`; return the path of the JSON file.

    Both files are complete and on disk before either takes its name. An existing record is kept
    unless `overwrite` is true. Raises RecordError, with the reason, when it cannot be written.
    """
    path = record_path(record.experiment, record.name, folder)
    check_free(path, overwrite=overwrite)
    arrays = _npz_bytes(record.metrics)
    text = _json_text(record, path.with_suffix(".npz").name, hashlib.sha256(arrays).hexdigest())
    files = {path.with_suffix(".npz"): arrays, path: text.encode()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_together(files)
    except OSError as error:
        raise RecordError(f"{path}: cannot be written: {error.strerror or error}") from error
    return path


def save_somewhere(
    record: Record, folder: str | Path = "results", *, overwrite: bool = False
) -> tuple[Path, RecordError | None]:
    """Save, and when that fails save to a new folder under the temporary or home folder.

    Returns the path and, when it is not the one asked for, the reason. A finished run is thus
    never lost to a disk that filled up or a folder that became read-only meanwhile.
    """
    try:
        return save(record, folder, overwrite=overwrite), None
    except RecordError as error:
        reason = error
    for parent in (tempfile.gettempdir(), Path.home(), Path.cwd()):
        with contextlib.suppress(OSError, RecordError):
            return save(record, tempfile.mkdtemp(prefix="ssl-dynamics-", dir=parent)), reason
    raise reason


def record_path(experiment: str, name: str, folder: str | Path = "results") -> Path:
    """The JSON path of a record."""
    for field, value in (("experiment", experiment), ("name", name)):
        if not NAME.fullmatch(str(value)):
            raise RecordError(f"{field} = {value!r}; allowed: letters, digits and . _ + -")
    return Path(folder) / experiment / f"{name}.json"


def check_free(path: Path, *, overwrite: bool = False) -> None:
    """Refuse a path where a record lies already, unless `overwrite` is true."""
    taken = [p for p in (path, path.with_suffix(".npz")) if p.exists()]
    if taken and not overwrite:
        raise RecordError(f"{taken[0]}: exists already; pass overwrite (--overwrite) to replace it")


def check_writable(folder: str | Path, size: int = 1 << 20) -> None:
    """Write and remove a probe file of `size` bytes in `folder`, before any long work starts."""
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".probe-") as probe:
            probe.write(b"\0" * size)
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        raise RecordError(f"{folder}: cannot be written: {error.strerror or error}") from error


def load(which: str | Path, folder: str | Path | None = None) -> Record:
    """Load `"experiment/name"` (from `folder`, or the nearest `results`) or a path to a JSON."""
    path = _resolve(which, folder)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RecordError(f"{path}: no such record{_neighbours(path)}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise RecordError(f"{path}: cannot be read: {error}") from error
    data = _parse(path, text)
    metrics = _load_arrays(path, data)
    values = {field: data[field] for field in _JSON_FIELDS}
    try:
        return Record(metrics=metrics, **values)
    except RecordError as error:
        raise RecordError(f"{path}: {error}") from None


def results_folder() -> Path:
    """`$SSL_DYNAMICS_RESULTS`, else the nearest `results` above the working directory,
    else the one of the source checkout."""
    if named := os.environ.get("SSL_DYNAMICS_RESULTS"):
        return Path(named)
    here = Path.cwd()
    checkout = Path(__file__).resolve().parents[3]
    for parent in (here, *here.parents, checkout):
        if (parent / "results").is_dir():
            return parent / "results"
    return Path("results")


def _resolve(which: str | Path, folder: str | Path | None) -> Path:
    path = Path(which)
    if path.suffix in (".json", ".npz"):
        path = path.with_suffix(".json")
        if path.is_absolute() or path.exists():
            return path
    root = Path(folder) if folder is not None else results_folder()
    return root / (path if path.suffix == ".json" else path.parent / f"{path.name}.json")


def _neighbours(path: Path) -> str:
    found = sorted(p.stem for p in path.parent.glob("*.json"))
    return f"; {path.parent} holds: {', '.join(found)}" if found else ""


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except ValueError as error:
        raise RecordError(f"{path}: not valid JSON: {error}") from None
    if not isinstance(data, dict):
        raise RecordError(f"{path}: holds a {type(data).__name__}; an object is needed")
    if data.get("schema") != SCHEMA:
        raise RecordError(
            f"{path}: field schema = {data.get('schema')!r}; this version reads schema {SCHEMA}"
        )
    for field, kind in {**_JSON_FIELDS, "metrics": dict, "arrays": dict}.items():
        if field not in data:
            raise RecordError(f"{path}: field {field} is missing")
        if not isinstance(data[field], kind) or isinstance(data[field], bool):
            raise RecordError(f"{path}: field {field} has type {type(data[field]).__name__}")
    return data


def _load_arrays(path: Path, data: dict[str, Any]) -> dict[str, np.ndarray]:
    beside = path.with_suffix(".npz")
    try:
        raw = beside.read_bytes()
    except OSError as error:
        raise RecordError(f"{beside}: arrays cannot be read: {error.strerror}") from None
    if hashlib.sha256(raw).hexdigest() != data["arrays"].get("sha256"):
        raise RecordError(f"{beside}: does not match field arrays.sha256 of {path.name}")
    try:
        with np.load(io.BytesIO(raw), allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise RecordError(f"{beside}: not a readable array file: {error}") from None
    for key, about in data["metrics"].items():
        shape = about.get("shape") if isinstance(about, Mapping) else None
        if key not in arrays:
            raise RecordError(f"{beside}: array {key!r} of field metrics is missing")
        if list(arrays[key].shape) != shape:
            raise RecordError(
                f"{path}: field metrics[{key!r}].shape = {shape}; the array has "
                f"{list(arrays[key].shape)}"
            )
    if extra := sorted(set(arrays) - set(data["metrics"])):
        raise RecordError(f"{beside}: array {extra[0]!r} is not listed in field metrics")
    return arrays


def _json_text(record: Record, arrays_file: str, checksum: str) -> str:
    data = {field: getattr(record, field) for field in _JSON_FIELDS}
    data["metrics"] = {
        key: {"shape": list(value.shape), "dtype": str(value.dtype)}
        for key, value in sorted(record.metrics.items())
    }
    data["arrays"] = {"file": arrays_file, "sha256": checksum}
    try:
        return json.dumps(data, indent=1, allow_nan=False, default=_plain) + "\n"
    except (TypeError, ValueError) as error:
        raise RecordError(
            f"record {record.experiment}/{record.name}: config, axes or versions cannot be "
            f"written as JSON: {error}"
        ) from None


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{value!r} of type {type(value).__name__}")


def _npz_bytes(metrics: Mapping[str, np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for key in sorted(metrics):
            member = io.BytesIO()
            np.lib.format.write_array(member, metrics[key], allow_pickle=False)
            entry = zipfile.ZipInfo(f"{key}.npy")  # fixed date: equal runs give equal bytes
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, member.getvalue())
    return buffer.getvalue()


def _write_together(contents: Mapping[Path, bytes]) -> None:
    """Write all files under temporary names, flush them to disk, then rename each."""
    waiting: dict[Path, Path] = {}
    kept: dict[Path, bytes | None] = {}
    try:
        for path, content in contents.items():
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
            waiting[path] = Path(name)
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            os.chmod(name, 0o644)
        for path, temporary in waiting.items():
            kept[path] = path.read_bytes() if path.exists() else None
            os.replace(temporary, path)
    except OSError:
        for path, before in kept.items():
            if path not in waiting or waiting[path].exists():
                continue  # this rename did not happen
            with contextlib.suppress(OSError):
                path.unlink() if before is None else path.write_bytes(before)
        raise
    finally:
        for temporary in waiting.values():
            temporary.unlink(missing_ok=True)
