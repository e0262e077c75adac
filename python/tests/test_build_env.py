import os
import socket
import tempfile
import threading
import unittest
from unittest import mock

import build_env


class AnIndex(unittest.TestCase):
    def test_that_cuts_its_answer_off_is_named_with_why(self):
        with socket.create_server(("127.0.0.1", 0)) as server, tempfile.TemporaryDirectory() as folder:

            def answer():
                connection, _ = server.accept()
                with connection, connection.makefile("rb") as asked:
                    while asked.readline().strip():
                        pass
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{half")

            answering = threading.Thread(target=answer)
            answering.start()
            index = {"PIP_INDEX_URL": f"http://127.0.0.1:{server.getsockname()[1]}/simple", "no_proxy": "127.0.0.1"}
            with mock.patch.dict(os.environ, index):
                with self.assertRaisesRegex(build_env.Failed, r"^no pip here, and none from 127\.0\.0\.1: .*5 bytes read"):
                    build_env.fetch_pip({"directory": folder})
            answering.join()


if __name__ == "__main__":
    unittest.main()
