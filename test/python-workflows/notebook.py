"""Executes cells in a real kernel: [{"code": …, "interruptWhen": …}, …] as JSON on standard input; what each gave as
JSON on standard output. The kernel's directory is this one's."""

import json
import sys

from jupyter_client.manager import start_new_kernel

cells = json.load(sys.stdin)
manager, client = start_new_kernel(kernel_name="python3")
results = []
try:
    for cell in cells:
        sent = client.execute(cell["code"])
        shown = []
        displays = {}
        updates = 0
        interrupt = cell.get("interruptWhen")
        while True:
            message = client.get_iopub_msg(timeout=60)
            if message["parent_header"].get("msg_id") != sent:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                break
            if kind == "stream":
                # a kernel sends what is printed in pieces, as its clock has it
                if shown and shown[-1].get("stream") == content["name"]:
                    shown[-1]["text"] += content["text"]
                else:
                    shown.append({"stream": content["name"], "text": content["text"]})
            elif kind in ("display_data", "execute_result", "update_display_data"):
                name = content.get("transient", {}).get("display_id")
                if kind == "update_display_data":
                    updates += 1
                    displays[name]["data"] = content["data"]
                else:
                    shown.append({"kind": kind, "data": content["data"]})
                    if name is not None:
                        displays[name] = shown[-1]
            elif kind == "error":
                shown.append({"error": content["ename"], "value": content["evalue"], "traceback": content["traceback"]})
            if interrupt is not None and interrupt in json.dumps(content):
                interrupt = None
                manager.interrupt_kernel()
        results.append({"shown": shown, "updates": updates})
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
json.dump(results, sys.stdout)
