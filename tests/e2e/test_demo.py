"""make demo: the story is told to its end, and twice the same."""
import re
import subprocess
import sys
from pathlib import Path

DEMO = Path(__file__).with_name("demo.py")


def told():
    """The DetectedIssues as the hospital holds them in the end: rule, severity, patient, state."""
    done = subprocess.run([sys.executable, str(DEMO)], capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    return re.findall(r"(?m)^DetectedIssue/\S+  (\S+)  (\S+)  (\S+)  (\S+)$", done.stdout)


def test_the_demo_tells_the_same_alerts_twice():
    first, second = told(), told()
    assert first == second
    assert [(rule, patient, state) for rule, _, patient, state in first] == [
        ("len-combo-anc-hold", "Patient/story-a", "ended"),
        ("mm-nsaid-renal", "Patient/story-b", "ended"),
        ("pom-cyp1a2-strong", "Patient/story-b", "ended"),
        ("ste-fluoroquinolone", "Patient/story-b", "ended"),
        ("zol-creat-gap", "Patient/story-c", "ended"),
        ("zol-creat-gap", "Patient/story-c", "ended"),
        ("zol-renal-dose", "Patient/story-c", "retracted")]
