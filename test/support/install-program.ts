/** Installs packages into a workspace and ends: killed by a test while it does. */
import { install } from "../../server/packages/install.js";

const [workspace, root, ...packages] = process.argv.slice(2);
process.stdout.write("begun\n");
await install(workspace!, root!, packages);
process.stdout.write("done\n");
