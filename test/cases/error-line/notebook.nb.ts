// %% id="fine"
const limit = 2

// %% id="thrower"
function check(n: number) {
  if (n > limit) {
    throw new RangeError(`${n} is above ${limit}`)
  }
  return n
}
const checked = [1, 2, 3].map((n) => check(n))

// %% id="after"
checked.length

// %% id="far"
// the line of this cell, not of the function in the other one
const helper = (n: number) => {
  return (undefined as unknown as { x: number }).x + n
}

// %% id="caller"
const before = limit
helper(before)

// %% id="typo"
limt + 1

// %% id="syntax"
const broken = (1 +

// %% id="cause"
throw new Error("outer", { cause: new TypeError("inner") })

// %% id="untouched"
limit * 10
