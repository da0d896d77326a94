// ---
// title: Values of cells
// seed: 3
// ---

// %% id="value"
1 + 1

// %% id="nothing"
const quiet = 3

// %% id="object"
({ quiet, list: [1, 2.5, null, undefined], nested: { when: new Date(0), set: new Set(["a"]) } })

// %% id="awaited"
const later = await Promise.resolve(quiet * 2)
later

// %% id="typed"
type Pair = { left: number; right: string }
const pair = { left: 1, right: "b" } satisfies Pair
function describe({ left, right }: Pair): string {
  return `${left}${right}`
}
describe(pair as Pair)

// %% id="printed"
console.log("one", { two: 2 })
console.error("three")
display("four")
display("five", { id: "same" })
display("six", { id: "same" })

// %% id="drawn"
// seeded per cell: the same in every run
[Math.random(), Math.random()]

// %% id="big"
const big = 12345678901234567890n
big
