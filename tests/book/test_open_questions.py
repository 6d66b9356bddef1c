"""Every command of the page of open questions is one that the command line accepts."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from ssl_dynamics import cli, experiments

PAGE = (Path(__file__).resolve().parents[2] / "book/open_questions.md").read_text("utf-8")
BLOCKS = re.findall(r"```bash\n(.*?)```", PAGE, re.S)
COMMANDS = [line for block in BLOCKS for line in block.replace("\\\n", " ").strip().split("\n")]


@pytest.mark.parametrize("command", COMMANDS)
def test_command_is_accepted(command: str) -> None:
    words = shlex.split(command)
    assert words[:4] == ["python", "-m", "ssl_dynamics", "run"]
    module = experiments.get(words[4])
    config = cli.parse_config(module, words[5:])
    assert config.name != module.Config().name, "it would overwrite the record of the book"


def test_every_question_says_what_is_known_where_to_start_and_what_settles_it() -> None:
    questions = re.split(r"^## ", PAGE, flags=re.M)[1:]
    assert len(questions) >= 5
    for question in questions:
        for word in ("*Known.*", "*Start here.*", "*Settled by*", "```bash"):
            assert word in question, f"{question.splitlines()[0]}: {word} is missing"
