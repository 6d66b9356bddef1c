"""Two processes give the numbers of one."""

import os
import subprocess
import sys
from subprocess import PIPE, STDOUT

import numpy as np

from ssl_dynamics.training import TowerConfig, train_towers
from ssl_dynamics.training.shard import share

OPTIONS = {"encoder": (12, 8), "projector": (8, 6), "predictor_width": 8, "batch": 8, "steps": 10}
COUNTS = (3, 1, 2, 5)  # fewer seeds than processes too; several runs in one program
PROGRAM = f"""
import os
import sys
import numpy as np
from ssl_dynamics.training import TowerConfig, train_towers

config = TowerConfig(**{OPTIONS!r}, dtype="float64")
for seeds in {COUNTS!r}:
    result = train_towers(config, seeds, device="cpu", progress=False)
    np.savez(f"{{sys.argv[1]}}/{{seeds}}-{{os.environ['RANK']}}.npz", **result)
"""


def test_two_processes_are_one(tmp_path):
    """Every process returns the whole, equal to what one process finds."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", str(program), str(tmp_path)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, stdout=PIPE, stderr=STDOUT, text=True, env=environment
    ) as process:
        try:
            output, _ = process.communicate(timeout=200)
        except subprocess.TimeoutExpired:
            process.terminate()  # torchrun stops its workers
            raise
    assert process.returncode == 0, output
    config = TowerConfig(**OPTIONS, dtype="float64")
    for seeds in COUNTS:
        expected = train_towers(config, seeds, device="cpu", progress=False)
        for rank in range(2):
            found = np.load(tmp_path / f"{seeds}-{rank}.npz")
            assert set(found) == set(expected)
            for name, values in expected.items():
                np.testing.assert_allclose(found[name], values, rtol=1e-9, atol=1e-12, err_msg=name)


def test_shares_are_contiguous_and_even():
    for count in (1, 2, 7, 16):
        for processes in (1, 2, 3, 5):
            parts = [share(range(count), rank, processes) for rank in range(processes)]
            assert sum(parts, ()) == tuple(range(count))
            assert max(map(len, parts)) - min(map(len, parts)) <= 1
