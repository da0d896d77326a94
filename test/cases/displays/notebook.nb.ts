// %% id="text"
"a line\nand another"

// %% id="rich"
html`<b>${"<bold>"}</b> ${3}`

// %% id="marked"
md`**${"strong"}** and \`code\``

// %% id="plot"
display({ data: [{ type: "bar", x: ["a", "b"], y: [1, 2] }], layout: { title: "Two bars" } })

// %% id="table"
relation({ name: ["x", "y", null], size: Float64Array.of(1, NaN, 3), yes: [true, false, true] })

// %% id="records"
;[{ a: 1, b: "one" }, { a: 2, b: "two" }]

// %% id="tensor"
const grid = tf.tensor2d([1, 2, 3, 4], [2, 2])
grid

// %% id="function"
function named(x: number) { return x }
named

// %% id="own"
display({ [Symbol.toStringTag]: "Own", deep: { deeper: { deepest: { bottom: [1] } } } })
