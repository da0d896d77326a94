/** What the server's own routes (/api/ts/...) answer. Paths of notebooks count from ROOT and have forward slashes: "workspaces/flights/late.nb.ts". */
import type { Badge, KernelState, Result } from "./document.js";
import type { HistoryLine, ModelSummary, Proposal, VersionCard } from "./serving.js";
import type { Manifest, SampleLine, Signature } from "./values.js";

/** GET /api/ts/home */
export interface HomeView {
  root: string;
  workspaces: WorkspaceView[];
  /** notebooks with a kernel */
  kernels: { path: string; href: string; title: string; kernel: KernelState }[];
  models: ModelSummary[];
  examples: ExampleView[];
}

export interface WorkspaceView {
  name: string;
  notebooks: NotebookView[];
}

export interface NotebookView {
  /** what the WebSocket and the other routes take */
  path: string;
  /** the page's address, "/w/flights/n/late.nb.ts" */
  href: string;
  name: string;
  title: string;
  modifiedAt: number;
  /** null when it was never run here */
  lastRun: { at: number; elapsedMs: number; result: Result; cell: string | null } | null;
  badge: Badge | null;
  /** null when it is not open */
  kernel: KernelState | null;
  /** cells done and to do of the run in progress */
  running: { done: number; of: number; since: number } | null;
}

export interface ExampleView {
  /** folder of workspaces/ */
  name: string;
  title: string;
  path: string;
  href: string;
}

/** GET /api/ts/settings; POST takes `{ idleHours?, memory? }`, null: the default. `fixed`: by the command line or the environment, until the next start. */
export interface SettingsView {
  /** hours without use after which a kernel is shut down; 0: never */
  idle: { hours: number; default: number; most: number; fixed: boolean };
  /** bytes that a kernel may take whose notebook has no limit of its own */
  memory: { bytes: number; default: number; least: number; most: number; fixed: boolean };
  /** bytes on disk that results of cells with the option `cache` may take in a workspace */
  cache: { bytes: number; default: number; least: number; most: number };
}

/** GET /api/ts/packages?path=NOTEBOOK */
export interface PackagesView {
  /** the workspace is listed by the root's package.json: one lock for all of them */
  shared: boolean;
  /** why package.json or the lock could not be read */
  broken: string | null;
  packages: PackageView[];
  /** what npm has said in the present change, or in the last one */
  log: string;
}
export interface PackageView {
  name: string;
  /** by package.json; null: code asks for it and package.json does not name it */
  wanted: string | null;
  kind: "dependency" | "development" | "optional" | null;
  /** version in the lock and on the disk; null: it is not there */
  locked: string | null;
  installed: string | null;
  /** version of Touchstone's own copy, whose files `npm:` paths read as long as none is installed; null: it has none, or one is installed */
  own: string | null;
  licence: string | null;
  description: string | null;
  /** of the installed files, without the packages that it needs itself */
  bytes: number | null;
  /** cells that import it or read its files, in document order */
  cells: string[];
  /** the workspace's other notebooks with such cells, and how many; as their files say, or the pages where they are open */
  others: { path: string; href: string; cells: number }[];
}

/** GET /api/ts/report?path=NOTEBOOK: what a report was made of. */
export interface ReportFacts {
  /** sha256 of the file, in hex */
  notebook: string;
  /** of the package-lock.json by which the notebook's packages were installed; null: there is none */
  lock: string | null;
  seed: number;
  touchstone: string;
  node: string;
}

/** GET /api/ts/files?workspace=NAME&path=data */
export interface FileView {
  name: string;
  /** from the workspace */
  path: string;
  kind: "file" | "folder";
  bytes: number;
  modifiedAt: number;
}

/** GET /api/ts/doctor: one line a check. */
export interface DoctorCheck {
  name: string;
  state: "ok" | "warning" | "missing" | "error";
  found: string;
  why?: string;
  /** a command to copy */
  fix?: string;
}

/** GET /api/ts/models */
export interface ModelsView {
  models: ModelSummary[];
  proposals: Proposal[];
}

/** Every refusal of /api/ts/: status not 2xx and this body. */
export interface HttpProblem {
  error: { code: string; message: string };
}

/** GET /api/ts/models/NAME */
export interface ModelView {
  model: ModelSummary;
  /** newest first */
  history: HistoryLine[];
}

/** GET /api/ts/models/NAME/versions/N */
export interface VersionView {
  name: string;
  version: number;
  card: VersionCard;
  manifest: Manifest;
  signature: Signature;
  /** with its gates as they were judged */
  proposal: Proposal;
  /** rows with the notebook's own predictions, for "Try it" */
  sample: SampleLine[];
  files: { name: string; bytes: number }[];
}
