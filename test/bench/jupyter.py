"""Drives one Jupyter kernel: start to first result, then round trips of `1 + 1`. Prints one line of JSON.

python jupyter.py KERNELS NAME COUNT, with the kernelspec in KERNELS/NAME/kernel.json.
"""

import json
import sys
import time

from jupyter_client import KernelManager
from jupyter_client.kernelspec import KernelSpecManager

folder, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])


def trip(client):
    """ms from the request until both its reply and `idle` have come."""
    at = time.perf_counter()
    request = client.execute("1 + 1")
    while client.get_shell_msg(timeout=60)["parent_header"].get("msg_id") != request:
        pass
    while True:
        message = client.get_iopub_msg(timeout=60)
        if (
            message["parent_header"].get("msg_id") == request
            and message["msg_type"] == "status"
            and message["content"]["execution_state"] == "idle"
        ):
            return (time.perf_counter() - at) * 1000


starts = []
for last in (False, False, True):
    at = time.perf_counter()
    kernel = KernelManager(kernel_name=name, kernel_spec_manager=KernelSpecManager(kernel_dirs=[folder], ensure_native_kernel=False))
    kernel.start_kernel()
    client = kernel.blocking_client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    trip(client)
    starts.append((time.perf_counter() - at) * 1000)
    trips = [trip(client) for _ in range(count)] if last else []
    client.stop_channels()
    kernel.shutdown_kernel(now=True)
print(json.dumps({"start": sorted(starts)[1], "trips": trips}))
