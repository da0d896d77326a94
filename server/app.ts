/** The HTTP application: serving's routes, our own under /api/ts/, the page for the rest. No port, no clock. */
import { Hono } from "hono";
import { checkAccess, checkServing, type RequestFacts } from "./access.js";
import type { Effects } from "./effects.js";
import { jupyterRoutes } from "./jupyter/routes.js";
import { callRoutes } from "./routes/calls.js";
import { doctorRoutes } from "./routes/doctor.js";
import { exampleRoutes } from "./routes/examples.js";
import { fileRoutes } from "./routes/files.js";
import { uploadRoutes } from "./routes/upload.js";
import { historyRoutes } from "./routes/history.js";
import { homeRoutes } from "./routes/home.js";
import { modelRoutes } from "./routes/models.js";
import { notebookRoutes } from "./routes/notebooks.js";
import { packageRoutes } from "./routes/packages.js";
import { reportRoutes } from "./routes/report.js";
import { pageRoutes } from "./routes/page.js";
import { problem } from "./routes/problem.js";
import { reviewRoutes } from "./routes/review.js";
import { settingsRoutes } from "./routes/settings.js";

/** Prefixes that are serving's: clients of models call them without our token. */
const servingPaths = /^\/(v1|v2|invocations|ping|health|version|metrics)(\/|$)/;

export function createApp(effects: Effects): Hono {
  const app = new Hono();
  app.onError((error, c) => problem(c, error, effects.log));
  app.notFound((c) => c.json({ error: { code: "not-found", message: `There is no ${c.req.method} ${c.req.path}.` } }, 404));

  app.use(async (c, next) => {
    const url = new URL(c.req.url);
    const facts: RequestFacts = { method: c.req.method, url: url.pathname + url.search, header: (name) => c.req.header(name) };
    if (servingPaths.test(url.pathname)) {
      const verdict = checkServing(facts);
      if (verdict.ok === false) return c.json({ error: { code: verdict.code, message: verdict.message } }, verdict.status);
      return next();
    }
    // Jupyter's clients ask for the version before they know a token
    if (c.req.method === "GET" && url.pathname === "/api" && checkServing(facts).ok === true) return next();
    // scripts and pictures of the page hold no secret
    if (c.req.method === "GET" && /^\/(assets\/|icon\.svg$|favicon\.ico$)/.test(url.pathname) && checkServing(facts).ok === true) return next();
    const verdict = checkAccess(effects.access, facts);
    if (verdict.ok === "exchange")
      return c.body(null, 302, { location: verdict.location, "set-cookie": verdict.cookie, "cache-control": "no-store" });
    if (verdict.ok === false) {
      // `message` is where Jupyter's clients look
      if (url.pathname.startsWith("/api/"))
        return c.json({ message: verdict.message, error: { code: verdict.code, message: verdict.message } }, verdict.status);
      return c.text(verdict.message, verdict.status);
    }
    return next();
  });

  // everything of serving's is its own: errors, limits, keys
  app.all("*", async (c, next) => (servingPaths.test(c.req.path) ? effects.serving.app.fetch(c.req.raw, c.env) : next()));

  const own = new Hono();
  own.onError((error, c) => problem(c, error, effects.log));
  own.use(async (c, next) => {
    await next();
    if (!c.res.headers.has("cache-control")) c.res.headers.set("cache-control", "no-store");
    c.res.headers.set("x-content-type-options", "nosniff");
  });
  own.route("/", homeRoutes(effects));
  own.route("/", notebookRoutes(effects));
  own.route("/", historyRoutes(effects));
  own.route("/", fileRoutes(effects));
  own.route("/", uploadRoutes(effects));
  own.route("/", exampleRoutes(effects));
  own.route("/", modelRoutes(effects));
  own.route("/", packageRoutes(effects));
  own.route("/", reportRoutes(effects));
  own.route("/", reviewRoutes(effects));
  own.route("/", callRoutes(effects));
  own.route("/", doctorRoutes(effects));
  own.route("/", settingsRoutes(effects));
  app.route("/api/ts", own);
  app.route("/api", jupyterRoutes(effects.jupyter));
  const page = pageRoutes(effects.web, { cache: effects.cache });
  app.get("*", async (c, next) => (c.req.path.startsWith("/api/") && c.req.path !== "/api/ts/frame" ? next() : page.fetch(c.req.raw, c.env)));
  return app;
}
