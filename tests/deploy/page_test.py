"""Judges who judges the pages: what is not as they say is found."""

import tempfile
import unittest
from pathlib import Path

from page import missing, steps_of

PAGE = """# A page

<!-- terminal server -->
```sh
serve --data a \\
  --shards 2
```

<!-- server prints "ready" -->
```sh
# A remark.
cat > file <<'END'
one
END
ask
```

```text
yes
```

```json
{"not": "typed"}
```

<!-- Ctrl-C server -->
"""


class Pages(unittest.TestCase):
    def test_a_page_is_its_steps_in_order(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "page.md"
            path.write_text(PAGE)
            steps = steps_of(path)
        self.assertEqual([step.kind for step in steps], ["keep running", "look", "type", "Ctrl-C"])
        self.assertEqual([step.commands() for step in steps], [1, 0, 2, 0])
        self.assertEqual(steps[2].expected, ["yes"])

    def test_an_unknown_remark_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "page.md"
            path.write_text("<!-- terminl server -->\n")
            self.assertRaises(SystemExit, steps_of, path)

    def test_what_is_printed_is_as_the_page_says(self):
        said = "found 3 in 14 ms\na\nb\nc\n"
        self.assertIsNone(missing(["found 3 in … ms", "a", "b", "c"], said))
        self.assertIsNone(missing(["found 3 …", "…", "c"], said))
        self.assertIsNone(missing(["…"], said))
        self.assertEqual(missing(["found 4 …", "…"], said), "found 4 …")
        self.assertEqual(missing(["found 3 …", "b", "…"], said), "b")
        self.assertEqual(missing(["…", "c", "a"], said), "a")
        self.assertIn("'c'", missing(["found 3 …", "a", "b"], said))


if __name__ == "__main__":
    unittest.main()
