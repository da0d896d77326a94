/** Writes the folder that serves a version alone; for cells, which may not reach kernels/paths. */
export { exportVersion } from "../paths/export.js";
