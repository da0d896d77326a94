/** Where a name comes from and where it is used, in any cell. */
import type { Place } from "../protocol/language.js";
import { placeIn, type Project } from "./project.js";
import { toModule } from "./virtual.js";

export function definition(project: Project, cell: string, at: number): Place[] {
  const opened = project.open(cell);
  if (opened === null) return [];
  const found = project.service.getDefinitionAtPosition(opened.file, toModule(opened.module, at)) ?? [];
  return unique(found.flatMap((one) => placeOf(project, one.fileName, one.textSpan.start, one.textSpan.length)));
}

export function references(project: Project, cell: string, at: number): Place[] {
  const opened = project.open(cell);
  if (opened === null) return [];
  const found = project.service.getReferencesAtPosition(opened.file, toModule(opened.module, at)) ?? [];
  return unique(found.flatMap((one) => placeOf(project, one.fileName, one.textSpan.start, one.textSpan.length)));
}

/** Places in what we added to a cell are nobody's. */
function placeOf(project: Project, file: string, start: number, length: number): Place[] {
  if (project.cellOf(file) === null) return /\.(names|globals\.d)\.ts$/.test(file) ? [] : [placeIn(file, start)];
  const from = project.toCell(file, start);
  const to = project.toCell(file, start + length);
  return from === null || to === null ? [] : [{ cell: from.cell, from: from.at, to: to.at }];
}

function unique(places: Place[]): Place[] {
  return [...new Map(places.map((place) => [JSON.stringify(place), place])).values()];
}
