"""Mappings with a few rules that do not change, for tests of the program rather than of the knowledge:
what such a test expects must not depend on which rules are added to mappings/rules/.

few_rules(): the folder, made once for each run of the tests. Codes, labs and classes are those of mappings/.
"""
import atexit
import functools
import json
import re
import shutil
import tempfile
from pathlib import Path

MAPPINGS = Path(__file__).resolve().parents[1] / "mappings"

RULES = set("""
    bma-duplicate bor-cyp3a4-inducer bor-mono-plt-hold car-plt-hold crit-anc-05 imid-duplicate
    imid-vte-proph-gap len-cbc-gap len-combo-anc-hold len-combo-plt-hold len-maint-anc-hold
    len-maint-plt-hold len-renal-combo len-renal-maint lor-none lor-renal mm-nsaid-renal pom-anc-hold
    pom-cyp1a2-strong pom-plt-hold ste-antidiabetic ste-bupropion ste-fluoroquinolone ste-nsaid
    zol-creat-gap zol-renal-dose""".split())


BLOCK = re.compile(r'    \{\n      "id": "([^"]+)",\n.*?\n    \}', re.S)


def kept(match):
    """The text of a rule, yielding only to rules that are here."""
    stronger = [id for id in re.findall(r'"([^"]+)"', match[1]) if id in RULES]
    return f'      "yieldsTo": {json.dumps(stronger)},\n' if stronger else ""


def rewrite(path, target):
    text = path.read_text(encoding="utf-8")
    blocks = [re.sub(r'      "yieldsTo": \[(.*?)\],\n', kept, match[0], flags=re.S)
              for match in BLOCK.finditer(text) if match[1] in RULES]
    if blocks:
        head = text[:text.index('"rules": [')]
        target.write_text(head + '"rules": [\n' + ",\n".join(blocks) + "\n  ]\n}\n", encoding="utf-8")


@functools.cache
def few_rules():
    folder = Path(tempfile.mkdtemp(prefix="few-rules-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    mappings = folder / "mappings"
    shutil.copytree(MAPPINGS, mappings, ignore=shutil.ignore_patterns("rules"))
    (mappings / "rules").mkdir()
    for path in sorted((MAPPINGS / "rules").glob("*.json")):
        rewrite(path, mappings / "rules" / path.name)
    found = "".join(path.read_text(encoding="utf-8") for path in (mappings / "rules").iterdir())
    missing = [id for id in RULES if f'"id": "{id}"' not in found]
    assert not missing, missing
    return mappings
