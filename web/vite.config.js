import { defineConfig } from "vite";

/** The page: one entry, everything heavy (Monaco, Plotly, Markdown) behind dynamic imports. No foreign host is ever named. */
export default defineConfig({
  base: "/",
  publicDir: "public",
  build: {
    target: "es2022",
    sourcemap: false,
    manifest: true,
    chunkSizeWarningLimit: 5000,
    modulePreload: { polyfill: false },
    // fonts and workers stay files: the CSP allows scripts from this origin only
    assetsInlineLimit: 0,
  },
  worker: { format: "es" },
});
