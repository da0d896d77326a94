/** Entry of a kernel process; how it is started is written in kernels/protocol/kernel.ts. */
import "./hooks.js";
import { startKernel } from "./start.js";

const sockets = process.env["TOUCHSTONE_KERNEL_SOCKETS"];
if (sockets === undefined) {
  process.stderr.write("a kernel is started by the server: TOUCHSTONE_KERNEL_SOCKETS is not set\n");
  process.exit(64);
}
delete process.env["TOUCHSTONE_KERNEL_SOCKETS"];
startKernel(JSON.parse(sockets) as { main: string; control: string; bulk: string });
