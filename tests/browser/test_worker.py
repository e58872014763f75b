"""web/w.js: the same answers as challenge/pow.py, computed by another engine."""

from __future__ import annotations

import json
import subprocess

from botsieve.challenge import pow
from botsieve.challenge.assets import CONTENT

# The worker's two words, for node.
_HARNESS = """
const posted = [];
globalThis.postMessage = (answers) => posted.push(answers.length);
globalThis.onmessage = null;
const tasks = JSON.parse(require('fs').readFileSync(0, 'utf8'));
(0, eval)(tasks.script);
const found = tasks.puzzles.map((puzzle) => {
  let last = null;
  globalThis.postMessage = (answers) => { last = answers.slice(); };
  globalThis.onmessage({ data: puzzle });
  return last;
});
console.log(JSON.stringify(found));
"""


def test_script_and_verifier_agree() -> None:
    """For tokens of every length around the edges of a block, the worker finds what the verifier would."""
    tokens = ["A" * length for length in (1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 121, 128, 180)]
    puzzles = [{"token": token, "puzzles": 3, "bits": 8} for token in tokens]
    work = json.dumps({"script": CONTENT["w.js"].decode(), "puzzles": puzzles})
    ran = subprocess.run(["node", "-e", _HARNESS], input=work, capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(ran.stdout) == [pow.solve(token.encode(), 3, 8) for token in tokens]
