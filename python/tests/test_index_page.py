import unittest

import build_env


class AnIndexThatAnswersInHtml(unittest.TestCase):
    def test_gives_its_files_in_the_words_of_one_that_answers_in_json(self) -> None:
        page = """<!DOCTYPE html><html><body>
            <a href="../../packages/pip-25.0-py3-none-any.whl#sha256=ab12">pip-25.0-py3-none-any.whl</a>
            <a href="pip-9.9.tar.gz" data-yanked="broken">pip-9.9.tar.gz</a><a name="top">top</a></body></html>"""
        self.assertEqual(
            build_env.links(page),
            [
                {
                    "filename": "pip-25.0-py3-none-any.whl",
                    "url": "../../packages/pip-25.0-py3-none-any.whl",
                    "yanked": False,
                    "hashes": {"sha256": "ab12"},
                },
                {"filename": "pip-9.9.tar.gz", "url": "pip-9.9.tar.gz", "yanked": True, "hashes": {"sha256": ""}},
            ],
        )


if __name__ == "__main__":
    unittest.main()
