"""The command line: `python -m ssl_dynamics list | run NAME | show RECORD`.

Exit codes: 0 done, 1 failed while at work, 2 refused before any work, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ssl_dynamics import experiments
from ssl_dynamics.experiments import provenance
from ssl_dynamics.records import (
    Record,
    RecordError,
    check_free,
    check_writable,
    load,
    record_path,
    save_somewhere,
)

DONE, FAILED, REFUSED, STOPPED = 0, 1, 2, 130
PROGRAM = "python -m ssl_dynamics"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser()
    try:
        options, rest = parser.parse_known_args(given)
        if options.command != "run" and rest:
            parser.error(f"unrecognised: {' '.join(rest)}")
    except SystemExit as exit_:
        return int(exit_.code or 0)
    match options.command:
        case "list":
            return _list()
        case "show":
            return _show(options.record, options.results)
        case _:
            return _run(options, rest)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=PROGRAM, description="Experiments and their records.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="list | run | show")
    commands.add_parser("list", help="the experiments there are")
    run = commands.add_parser(
        "run", help="run an experiment and record it", add_help=False, allow_abbrev=False
    )
    run.add_argument("experiment", metavar="NAME")
    run.add_argument("--results", type=Path, default=Path("results"))
    run.add_argument("--checkpoints", type=Path, default=Path("checkpoints"))
    run.add_argument("--overwrite", action="store_true")
    run.add_argument("--quiet", action="store_true")
    run.add_argument("--dry-run", action="store_true")
    show = commands.add_parser("show", help="print a record")
    show.add_argument("record", metavar="RECORD", help="experiment/name, or a path")
    show.add_argument("--results", type=Path, default=None, help="folder of records")
    return parser


def _list() -> int:
    known = experiments.catalogue()
    width = max(map(len, known), default=0)
    for name, summary in known.items():
        print(f"{name:<{width}}  {summary}")
    return DONE


def _show(which: str, results: Path | None) -> int:
    try:
        record = load(which, results)
    except RecordError as error:
        return _say(error, REFUSED)
    print(describe(record))
    return DONE


def describe(record: Record) -> str:
    """A record in words: where it comes from, then n, mean and 95 % interval of each metric."""
    lines = [
        f"{record.experiment}/{record.name}",
        f"  device    {record.device}",
        f"  seeds     n = {len(record.seeds)}",
        f"  command   {record.command or 'unknown'}",
        f"  revision  {record.revision}, {record.created}, {record.wall_s:.0f} s",
        f"  versions  {', '.join(f'{k} {v}' for k, v in record.versions.items())}",
        f"  config    {', '.join(f'{k}={v}' for k, v in record.config.items())}",
        "  metrics   mean [95 % interval, Student-t over seeds]",
    ]
    width = max(map(len, record.metrics))
    for key in sorted(record.metrics):
        value = record.metrics[key]
        place = " (last of its axis)" if value.ndim == 2 else ""
        try:
            text = str(record.interval(key))
        except RecordError as error:
            text = f"no interval: {str(error).rpartition(': ')[2]}"
            if value.size and len(value) == 1:
                text = f"{value.ravel()[-1]:.6g}, one seed"
        lines.append(f"    {key:<{width}}  {text}, {record.device}{place}")
    return "\n".join(lines)


def _run(options: argparse.Namespace, rest: list[str]) -> int:
    try:
        module = experiments.get(options.experiment)
    except experiments.UnknownExperiment as error:
        return _say(error, REFUSED)
    try:
        config = parse_config(module, rest)
    except SystemExit as exit_:  # tyro has said what is wrong, or printed the help
        return int(exit_.code or 0)
    except ImportError:
        return _say("the command line needs tyro: pip install 'ssl-dynamics[cli]'", REFUSED)
    if options.dry_run:
        return _plan(module, config)
    provenance.revision()
    folder = checkpoint_folder(options.checkpoints, options.experiment, config)
    first = os.environ.get("RANK", "0") == "0"
    try:
        if first:
            path = record_path(options.experiment, config.name, options.results)
            check_free(path, overwrite=options.overwrite)
            check_writable(path.parent)
            check_writable(folder)
        folder.mkdir(parents=True, exist_ok=True)
    except (RecordError, OSError) as error:
        return _say(error, REFUSED)
    try:
        record = module.run(config, progress=not options.quiet, checkpoint_dir=folder)
    except KeyboardInterrupt:
        if any(path.is_file() for path in folder.rglob("*")):
            return _say(
                f"stopped. The checkpoint is in {folder}; the same command resumes.", STOPPED
            )
        shutil.rmtree(folder, ignore_errors=True)
        return _say("stopped before the first checkpoint; the same command starts anew.", STOPPED)
    except (ValueError, OSError) as error:
        return _say(f"{options.experiment}: {error}", FAILED)
    except RuntimeError as error:  # a damaged checkpoint, or torch out of memory
        return _say(f"{options.experiment}: {type(error).__name__}: {error}", FAILED)
    if not first:
        return DONE
    command = shlex.join([*PROGRAM.split(), "run", options.experiment, *rest])
    return _keep(dataclasses.replace(record, command=command), options, folder)


def _plan(module: Any, config: Any) -> int:
    """Print what a run would do and cost, where the experiment can say so; write nothing."""
    if not hasattr(module, "plan"):
        return _say(f"{module.NAME}: --dry-run is not offered by this experiment", REFUSED)
    try:
        text = module.plan(config)
    except (ValueError, OSError, RuntimeError) as error:
        return _say(f"{module.NAME}: {error}", FAILED)
    if os.environ.get("RANK", "0") == "0":
        print(text)
    return DONE


def _keep(record: Record, options: argparse.Namespace, folder: Path) -> int:
    path, trouble = save_somewhere(record, options.results, overwrite=options.overwrite)
    print(describe(record))
    if trouble is None:
        shutil.rmtree(folder, ignore_errors=True)
        print(f"saved {path}")
        return DONE
    return _say(f"{trouble}\nThe record was saved to {path} instead; nothing is lost.", FAILED)


def parse_config(module: Any, arguments: Sequence[str]) -> Any:
    """The experiment's Config from command-line options; SystemExit 2 says what is refused."""
    import tyro

    shared = (
        "Also: --results FOLDER (default results), --overwrite (replace a record), "
        "--checkpoints FOLDER (default checkpoints), --quiet (no progress bar), --dry-run (print "
        "the plan with memory and time, from a few measured steps, and stop)."
    )
    summary = (module.__doc__ or "").partition("\n")[0]
    return tyro.cli(
        module.Config,
        args=list(arguments),
        prog=f"{PROGRAM} run {module.NAME}",
        description=f"{summary}\n\n{shared}",
    )


def checkpoint_folder(root: Path, experiment: str, config: Any) -> Path:
    """The folder of this very configuration: other options get another folder."""
    text = json.dumps(dataclasses.asdict(config), sort_keys=True, default=str)
    digest = hashlib.sha256(f"{experiment} {text}".encode()).hexdigest()[:12]
    return root / experiment / f"{config.name}-{digest}"


def _say(message: object, code: int) -> int:
    print(message, file=sys.stderr)
    return code
