import { followSystem } from "./controllers/theme.js";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/notebook.css";
import "./styles/find.css";
import "./styles/output.css";
import "./styles/models.css";

// before the first paint, so that a dark page never flashes
followSystem();
await import("./app/app.js");
