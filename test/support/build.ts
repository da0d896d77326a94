/** Processes are started from dist/, so it is built once before any test runs. The page is built only for the browser and system suites. */
import { buildServer, buildWeb } from "../../scripts/build.mjs";

export default async function setup(project: { name?: string; config?: { name?: string } }): Promise<void> {
  await buildServer();
  const name = project.name ?? project.config?.name;
  if (name === "browser" || name === "system") await buildWeb();
}
