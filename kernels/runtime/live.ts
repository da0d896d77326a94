/**
 * Names of a console's earlier requests, read where they stand: `x` becomes `$$n.x`, so that a function sees the last definition, as in any console,
 * and `x = 1` reaches the variable. A cell of the notebook has parameters instead: its inputs are those of its run.
 */
import type MagicString from "magic-string";
import { scopesOf, walk, type Node } from "../reactive/tree.js";

/** Rewrites the free names that are `live`; gives the rest. */
export function liveNames(program: Node, free: readonly string[], live: (name: string) => boolean, out: MagicString): string[] {
  const wanted = new Set(free.filter(live));
  if (wanted.size === 0) return [...free];
  const places = new Set(
    scopesOf(program)
      .globalScope!.through.filter(
        (reference) => (reference.isValueReference || reference.isWrite()) && wanted.has(reference.identifier.name as string),
      )
      .map((reference) => reference.identifier as unknown as Node),
  );
  walk(program, (node, parents) => {
    if (node.type === "TSTypeQuery") return false;
    if (places.has(node)) out.update(node.start, node.end, written(node, parents));
    return undefined;
  });
  return free.filter((name) => !wanted.has(name));
}

function written(node: Node, parents: readonly Node[]): string {
  const name = node["name"] as string;
  const parent = parents.at(-1);
  const member = `$$n.${name}`;
  if (parent?.type === "UnaryExpression" && parent["operator"] === "typeof") return `("${name}" in $$n?${member}:undefined)`;
  // {x} and {x = 1}
  const holder = parent?.type === "AssignmentPattern" && parent["left"] === node ? parents.at(-2) : parent;
  if (holder?.type === "Property" && holder["shorthand"] === true) return `${name}:${member}`;
  const called =
    (parent?.type === "CallExpression" && parent["callee"] === node) || (parent?.type === "TaggedTemplateExpression" && parent["tag"] === node);
  if (!called) return member;
  // called without `this`; the parenthesis must not continue the line before (the last expression is wrapped anyway)
  const at = parents.findIndex((each) => each.type === "ExpressionStatement" && each.start === node.start);
  const block = at < 0 ? undefined : parents[at - 1]?.type;
  const ends = at === 1 && (parents[0]!["body"] as Node[]).at(-1) === parents[at];
  return `${!ends && block !== undefined && /^(Program|BlockStatement|StaticBlock|SwitchCase|TSModuleBlock)$/.test(block) ? ";" : ""}(0,${member})`;
}
