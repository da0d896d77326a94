// %% id="sum"
// written above what it reads: the order is that of the graph
const sum = a + c + rest.length
sum

// %% id="source"
const { a, b: [, c], ...others } = { a: 1, b: [0, 10], d: 4, e: 5 }
const [first, ...rest] = Object.values(others)

// %% id="first"
first

// %% id="alone"
let runs = (globalThis as { count?: number }).count ?? 0
runs

// %% id="shadow"
// neither reads `a`: a parameter and a block have their own
const shadow = (a: number) => { const c = a; return c }
shadow(7)

// %% id="last" lazy
const last = sum * 100
last
