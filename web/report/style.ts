/** Styles of a report: light, dark by the reader's system, and paper. */
export const style = `
:root{color-scheme:light dark;--page:#f6f7f9;--surface:#fff;--sunken:#eef0f3;--text:#1a1e24;--text-2:#4a5260;--text-3:#5f6876;--line:#d5dae1;--accent:#1f5fbf;--ok:#1b6e3c;--ok-soft:#e4f3e9;--warn:#8a5200;--warn-soft:#fbf0dc;--error:#b3261e;--error-soft:#fbe9e7;--stale:#7a4b9a}
@media screen and (prefers-color-scheme:dark){:root{--page:#101318;--surface:#171b21;--sunken:#0b0e12;--text:#e8ebf0;--text-2:#b4bdc9;--text-3:#98a2b0;--line:#2c333d;--accent:#7fb2ff;--ok:#6ccb8f;--ok-soft:#14301f;--warn:#f0b45a;--warn-soft:#36270f;--error:#ff8a80;--error-soft:#3d1b19;--stale:#c9a2e8}}
@media print{:root{color-scheme:light;--page:#fff}}
*{box-sizing:border-box}
body{margin:0 auto;padding:24px 16px 64px;max-width:752px;background:var(--page);color:var(--text);font:16px/26px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif;overflow-wrap:anywhere}
h1{margin:0;font-size:28px;line-height:36px}
h2{font-size:22px;line-height:28px}
h3{margin:16px 0 4px;font-size:14px;line-height:20px}
p{margin:8px 0}
a{color:var(--accent)}
code,pre{font-family:ui-monospace,"Cascadia Code",Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:13px}
pre{margin:8px 0;padding:8px 12px;overflow:auto;max-width:100%;background:var(--sunken);border-radius:4px;line-height:20px;white-space:pre-wrap}
.facts,.note,.show-code{color:var(--text-2);font-size:13px;line-height:20px}
.show-code{display:none}
@supports selector(::details-content){.show-code{display:block}body:has(#show-code:checked) details.code::details-content{content-visibility:visible;block-size:auto}}
.cell{margin:16px 0;padding:4px 16px 8px;border:1px solid var(--line);border-radius:8px;background:var(--surface)}
summary{padding:4px 0;color:var(--text-2);font-size:13px;line-height:20px;cursor:pointer}
summary:focus-visible,.table:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.status{color:var(--warn)}
.tok-keyword{color:var(--accent)}.tok-string{color:var(--ok)}.tok-number{color:var(--warn)}.tok-type{color:var(--stale)}.tok-comment{color:var(--text-3)}
.text{background:none;padding:0}
.stderr{padding-left:8px;border-left:3px solid var(--warn);border-radius:0}
.ansi-bold{font-weight:600}.ansi-red{color:var(--error)}.ansi-green{color:var(--ok)}.ansi-yellow{color:var(--warn)}.ansi-blue,.ansi-cyan{color:var(--accent)}.ansi-magenta{color:var(--stale)}
.headline{margin:8px 0;font-size:18px;line-height:26px}
.verdict{display:inline-block;padding:0 8px;border-radius:4px;font-size:14px;font-weight:600;background:var(--sunken)}
.verdict-good{color:var(--ok);background:var(--ok-soft)}.verdict-bad{color:var(--error);background:var(--error-soft)}.verdict-unsure{color:var(--warn);background:var(--warn-soft)}
.warning{color:var(--warn);font-size:14px;line-height:20px}
.error{margin:8px 0;padding:4px 12px;border-left:4px solid var(--error);background:var(--error-soft)}
figure{margin:12px 0}
figure>div[role=img]{padding:4px;border-radius:4px;background:#fff}
figure>div[role=img]{overflow:auto}figure svg{display:block;width:100%;min-width:480px;height:auto}
.picture{display:block;max-width:100%;height:auto;background:#fff}
.controls{display:grid;grid-template-columns:fit-content(40%) 1fr;gap:0 16px;margin:8px 0;font-size:14px;line-height:22px}.controls dt{color:var(--text-2)}.controls dd{margin:0;white-space:pre-wrap}
.foreign{position:relative;contain:layout paint;overflow:auto}
.table{overflow:auto;max-width:100%}
table{border-collapse:collapse;font-size:13px;line-height:20px}
th,td{padding:2px 8px;border-bottom:1px solid var(--line);text-align:left;vertical-align:top;overflow-wrap:normal}td{max-width:360px;overflow-wrap:break-word}
.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
td i{color:var(--text-3)}
.prose>:first-child{margin-top:0}
.prose img{max-width:100%}
.katex-display{display:block;margin:12px 0;overflow:auto}math{font-size:1.1em;overflow-wrap:normal}.math-error{color:var(--error)}.math-why{color:var(--text-2);font-size:13px}
@page{margin:16mm}
@media print{body{max-width:720px;padding:0;font-size:14px;line-height:22px}.show-code,.numbers{display:none}details.code:not([open]){display:none}.cell{border:0;padding:0}h1,h2,h3,.headline,.warning,.facts,figcaption{break-after:avoid}.headline,figure,.verdict,tr,.error,.picture,.note{break-inside:avoid}.table{overflow:visible}figure svg{min-width:0}thead{display:table-header-group}p{orphans:3;widows:3}}
`.trim();
