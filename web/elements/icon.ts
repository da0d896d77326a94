// Lucide icons (ISC), one by one, inlined by the build.
import activity from "lucide-static/icons/activity.svg?raw";
import ban from "lucide-static/icons/ban.svg?raw";
import box from "lucide-static/icons/box.svg?raw";
import circleCheck from "lucide-static/icons/circle-check.svg?raw";
import circleDashed from "lucide-static/icons/circle-dashed.svg?raw";
import circleHelp from "lucide-static/icons/circle-help.svg?raw";
import circleSlash from "lucide-static/icons/circle-slash.svg?raw";
import circleX from "lucide-static/icons/circle-x.svg?raw";
import clock from "lucide-static/icons/clock.svg?raw";
import copy from "lucide-static/icons/copy.svg?raw";
import download from "lucide-static/icons/download.svg?raw";
import upload from "lucide-static/icons/upload.svg?raw";
import dumbbell from "lucide-static/icons/dumbbell.svg?raw";
import ellipsis from "lucide-static/icons/ellipsis.svg?raw";
import equal from "lucide-static/icons/equal.svg?raw";
import flag from "lucide-static/icons/flag.svg?raw";
import flaskConical from "lucide-static/icons/flask-conical.svg?raw";
import folder from "lucide-static/icons/folder.svg?raw";
import graduationCap from "lucide-static/icons/graduation-cap.svg?raw";
import house from "lucide-static/icons/house.svg?raw";
import inbox from "lucide-static/icons/inbox.svg?raw";
import loaderCircle from "lucide-static/icons/loader-circle.svg?raw";
import lock from "lucide-static/icons/lock.svg?raw";
import moon from "lucide-static/icons/moon.svg?raw";
import notebookText from "lucide-static/icons/notebook-text.svg?raw";
import octagonPause from "lucide-static/icons/octagon-pause.svg?raw";
import pencil from "lucide-static/icons/pencil.svg?raw";
import play from "lucide-static/icons/play.svg?raw";
import plus from "lucide-static/icons/plus.svg?raw";
import refreshCw from "lucide-static/icons/refresh-cw.svg?raw";
import rocket from "lucide-static/icons/rocket.svg?raw";
import ruler from "lucide-static/icons/ruler.svg?raw";
import search from "lucide-static/icons/search.svg?raw";
import settings from "lucide-static/icons/settings.svg?raw";
import split from "lucide-static/icons/split.svg?raw";
import square from "lucide-static/icons/square.svg?raw";
import stethoscope from "lucide-static/icons/stethoscope.svg?raw";
import sun from "lucide-static/icons/sun.svg?raw";
import tag from "lucide-static/icons/tag.svg?raw";
import triangleAlert from "lucide-static/icons/triangle-alert.svg?raw";
import trophy from "lucide-static/icons/trophy.svg?raw";
import waves from "lucide-static/icons/waves.svg?raw";
import users from "lucide-static/icons/users.svg?raw";
import x from "lucide-static/icons/x.svg?raw";
import chevronDown from "lucide-static/icons/chevron-down.svg?raw";
import chevronRight from "lucide-static/icons/chevron-right.svg?raw";
import code from "lucide-static/icons/code.svg?raw";
import database from "lucide-static/icons/database.svg?raw";
import listTree from "lucide-static/icons/list-tree.svg?raw";
import text from "lucide-static/icons/text.svg?raw";
import funnel from "lucide-static/icons/funnel.svg?raw";
import arrowUp from "lucide-static/icons/arrow-up.svg?raw";
import arrowDown from "lucide-static/icons/arrow-down.svg?raw";
import maximize from "lucide-static/icons/maximize.svg?raw";
import table2 from "lucide-static/icons/table-2.svg?raw";
import image from "lucide-static/icons/image.svg?raw";
import trash2 from "lucide-static/icons/trash-2.svg?raw";
import undo2 from "lucide-static/icons/undo-2.svg?raw";
import zap from "lucide-static/icons/zap.svg?raw";
import wifi from "lucide-static/icons/wifi.svg?raw";
import wifiOff from "lucide-static/icons/wifi-off.svg?raw";
import cpu from "lucide-static/icons/cpu.svg?raw";
import gitBranch from "lucide-static/icons/git-branch.svg?raw";
import info from "lucide-static/icons/info.svg?raw";
import fileText from "lucide-static/icons/file-text.svg?raw";
import { html, type TemplateResult } from "lit";

const icons: Record<string, string> = {
  activity: activity,
  ban: ban,
  box: box,
  "circle-check": circleCheck,
  "circle-dashed": circleDashed,
  "circle-help": circleHelp,
  "circle-slash": circleSlash,
  "circle-x": circleX,
  clock: clock,
  copy: copy,
  download: download,
  upload: upload,
  dumbbell: dumbbell,
  ellipsis: ellipsis,
  equal: equal,
  flag,
  "flask-conical": flaskConical,
  folder: folder,
  "graduation-cap": graduationCap,
  house: house,
  inbox: inbox,
  "loader-circle": loaderCircle,
  lock: lock,
  moon: moon,
  "notebook-text": notebookText,
  "octagon-pause": octagonPause,
  pencil: pencil,
  play: play,
  plus: plus,
  "refresh-cw": refreshCw,
  rocket: rocket,
  ruler: ruler,
  search: search,
  settings: settings,
  split: split,
  square: square,
  stethoscope: stethoscope,
  sun: sun,
  tag: tag,
  "triangle-alert": triangleAlert,
  trophy: trophy,
  waves: waves,
  users: users,
  x: x,
  "chevron-down": chevronDown,
  "chevron-right": chevronRight,
  code: code,
  database: database,
  "list-tree": listTree,
  text: text,
  funnel: funnel,
  "arrow-up": arrowUp,
  "arrow-down": arrowDown,
  maximize: maximize,
  "table-2": table2,
  image: image,
  "trash-2": trash2,
  "undo-2": undo2,
  zap: zap,
  wifi: wifi,
  "wifi-off": wifiOff,
  cpu: cpu,
  "git-branch": gitBranch,
  info: info,
  "file-text": fileText,
};

/** An icon's drawing as a template of its own: the browser reads it once, however often it stands in the page. */
const drawings = new Map<string, TemplateResult>();
function drawing(name: string): TemplateResult {
  let known = drawings.get(name);
  if (known === undefined) {
    const svg = (icons[name] ?? icons["box"]!).replace(/<!--.*?-->\s*/s, "").replace("<svg", `<svg aria-hidden="true" focusable="false"`);
    drawings.set(name, (known = html(Object.assign([svg], { raw: [svg] }))));
  }
  return known;
}

/** An icon of the set, hidden from readers: a word always stands beside it (or `label` names it). */
export function icon(name: string, label?: string): TemplateResult {
  return html`<span class="icon" role=${label === undefined ? "presentation" : "img"} aria-label=${label ?? ""}>${drawing(name)}</span>`;
}
