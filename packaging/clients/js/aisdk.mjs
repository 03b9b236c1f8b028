// The Vercel AI SDK with the provider named as the argument.
import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { APICallError, embedMany, generateObject, generateText, isStepCount, streamText, tool } from 'ai'
import { z } from 'zod'
import { assert, collect, embeddingModel, fails, key, model, pixel, run, seen, url } from './check.mjs'

const provider = process.argv[2]
const openai = createOpenAI({ apiKey: key, baseURL: `${url}/v1` })
const models = {
  'openai-responses': () => openai(model),
  'openai-chat': () => openai.chat(model),
  'openai-compatible': () => createOpenAICompatible({
    name: 'apex', apiKey: key, baseURL: `${url}/v1`, includeUsage: true, supportsStructuredOutputs: true,
  })(model),
  anthropic: () => createAnthropic({ apiKey: key, baseURL: `${url}/v1` })(model),
}
const ask = (prompt, more) => ({ model: models[provider](), prompt, maxRetries: 0, ...more })
const weather = (calls) => tool({
  description: 'The weather of a city.',
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => {
    calls.push(city)
    return `rain in ${city}`
  },
})
const status = (code) => (error) => {
  assert.ok(APICallError.isInstance(error), `${error}`)
  assert.equal(error.statusCode, code)
}

const checks = {
  async generateText() {
    const answer = await generateText(ask('hello big world', { system: 'be brief' }))
    assert.equal(answer.text, 'hello big world')
    assert.equal(answer.finishReason, 'stop')
    assert.ok(answer.usage.inputTokens > 0 && answer.usage.outputTokens > 0)
  },
  async streamText() {
    const answer = streamText(ask('hello big world'))
    const { count, text } = await collect(answer.textStream, (piece) => piece)
    assert.equal(text, 'hello big world')
    assert.ok(count > 1, `${count} pieces`)
    assert.ok((await answer.usage).outputTokens > 0)
  },
  async image() {
    const content = [
      { type: 'text', text: 'what is it?' },
      { type: 'file', data: Buffer.from(pixel, 'base64'), mediaType: 'image/png' },
    ]
    const answer = await generateText({ model: models[provider](), maxRetries: 0, messages: [{ role: 'user', content }] })
    assert.match(answer.text, seen)
  },
  async tools() {
    const calls = []
    const answer = await generateText(ask('[[tools]] parallel', { tools: { get_weather: weather(calls), get_forecast: weather(calls) }, stopWhen: isStepCount(4) }))
    assert.match(answer.text, /get_weather answered: rain in sample city/)
    assert.equal(calls.length, 2)
  },
  async 'tools streamed'() {
    const calls = []
    const answer = streamText(ask('[[tools]] the weather', { tools: { get_weather: weather(calls) }, stopWhen: isStepCount(4) }))
    const { text } = await collect(answer.textStream, (piece) => piece)
    assert.match(text, /rain in sample city/)
    assert.deepEqual(calls, ['sample city'])
  },
  async generateObject() {
    const answer = await generateObject(ask('a forecast', { schema: z.object({ city: z.string(), days: z.number() }) }))
    assert.equal(typeof answer.object.city, 'string')
    assert.equal(typeof answer.object.days, 'number')
  },
  async 'rate limit'() {
    await fails(generateText(ask('[[error-429]]')), status(429))
  },
  async 'bad request'() {
    await fails(generateText(ask('[[error]]')), status(400))
  },
  async 'error in a stream'() {
    const errors = []
    const answer = streamText(ask('[[error-midstream]]', { onError: ({ error }) => errors.push(error) }))
    await collect(answer.textStream, (piece) => piece).catch((error) => errors.push(error))
    assert.equal(errors.length > 0, true, 'nothing tells of the failure')
  },
}
if (provider === 'openai-chat') {
  checks.embeddings = async () => {
    const asked = embedMany({ model: openai.textEmbeddingModel(embeddingModel), values: ['one', 'two'], maxRetries: 0 })
    if (embeddingModel === model) return fails(asked, status(400)) // its vendor has none
    assert.equal((await asked).embeddings.length, 2)
  }
}
await run(checks)
