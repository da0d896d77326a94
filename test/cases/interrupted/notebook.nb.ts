// %% id="kept"
const kept = { n: 41 }

// %% id="forever"
console.log("begins")
const never = 1
await null
for (;;) {}

// %% id="query"
console.log("asks")
const slow = sql`select count(*) as n from range(100_000_000_000) t(i) where sin(i) > 2`
const [{ n }] = await slow.rows()

// %% id="waits"
n + never

// %% id="after"
kept.n + 1
