// %% id="file"
import { double, origin } from "./helper.ts"
import twice, * as helper from "./helper.ts"
;[double(21), origin, twice === double, Object.keys(helper).sort()]

// %% id="npm"
import MagicString from "magic-string"
const said = new MagicString("a b").overwrite(0, 1, "c").toString()
said

// %% id="node"
import { basename } from "node:path"
basename("a/b.txt")

// %% id="engine"
import * as engine from "@tensorflow/tfjs"
engine === tf || engine.tensor === tf.tensor

// %% id="dynamic"
const { double: again } = await import("./helper.ts")
again(4)

// %% id="missing"
import { nothing } from "./helper.ts"
nothing

// %% id="unknown"
import leftPad from "no-such-package-at-all"
leftPad
