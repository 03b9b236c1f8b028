// Runs the checks of a client and prints one line for each: "pass NAME" or "fail NAME: why".
import assert from 'node:assert/strict'

export { assert }

/** Where the proxy is, what opens it, and the model to ask. */
export const url = process.env.APEX_URL
export const key = process.env.APEX_KEY
export const model = process.env.APEX_MODEL
export const embeddingModel = process.env.APEX_EMBEDDING_MODEL

/** A PNG of one pixel. */
export const pixel =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

/** What the model says when it saw that picture. */
export const seen = /I see 1 image \(image\/png, 70 bytes\)/

/** Counts pieces of a stream and joins their texts. */
export async function collect(stream, textOf) {
  const parts = []
  for await (const piece of stream) {
    const text = textOf(piece)
    if (text) parts.push(text)
  }
  return { count: parts.length, text: parts.join('') }
}

/** Runs the checks, given as an object of functions, one after the other. */
export async function run(checks) {
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check()
      console.log(`pass ${name}`)
    } catch (error) {
      const why = error?.stack ?? String(error)
      console.log(`fail ${name}: ${why.replace(/\s*\n\s*/g, ' | ')}`)
    }
  }
  process.exit(0) // sockets that are kept open must not hold it
}

/** Expects a promise to fail with an error that test accepts. */
export async function fails(promise, test) {
  let result
  try {
    result = await promise
  } catch (error) {
    test(error)
    return
  }
  assert.fail(`it did not fail but gave ${JSON.stringify(result)}`)
}
