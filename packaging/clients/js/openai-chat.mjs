// OpenAI's client on Chat Completions, Embeddings and Models.
import OpenAI from 'openai'
import { zodResponseFormat } from 'openai/helpers/zod'
import { z } from 'zod'
import { assert, collect, embeddingModel, fails, key, model, pixel, run, seen, url } from './check.mjs'

const client = new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0 })
const user = (content) => ({ model, messages: [{ role: 'user', content }] })
const weather = (calls) => ({
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'The weather of a city.',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    parse: JSON.parse,
    function: ({ city }) => {
      calls.push(city)
      return `rain in ${city}`
    },
  },
})

await run({
  async whole() {
    const answer = await client.chat.completions.create(user('hello big world'))
    assert.equal(answer.choices[0].message.content, 'hello big world')
    assert.equal(answer.choices[0].finish_reason, 'stop')
    assert.ok(model.startsWith(answer.model), answer.model)
    assert.ok(answer.usage.prompt_tokens > 0 && answer.usage.completion_tokens > 0)
  },
  async stream() {
    const stream = await client.chat.completions.create({
      ...user('hello big world'), stream: true, stream_options: { include_usage: true },
    })
    let usage
    const { count, text } = await collect(stream, (chunk) => {
      usage = chunk.usage ?? usage
      return chunk.choices[0]?.delta?.content
    })
    assert.equal(text, 'hello big world')
    assert.ok(count > 1, `${count} pieces`)
    assert.ok(usage.total_tokens > 0)
  },
  async image() {
    const answer = await client.chat.completions.create(user([
      { type: 'text', text: 'what is it?' },
      { type: 'image_url', image_url: { url: `data:image/png;base64,${pixel}` } },
    ]))
    assert.match(answer.choices[0].message.content, seen)
  },
  async runTools() {
    const calls = []
    const runner = client.chat.completions.runTools({ ...user('[[tools]] the weather'), tools: [weather(calls)] })
    assert.match(await runner.finalContent(), /get_weather answered: rain in sample city/)
    assert.deepEqual(calls, ['sample city'])
  },
  async 'runTools streamed'() {
    const calls = []
    const runner = client.chat.completions.runTools({
      ...user('[[tools]] parallel'), tools: [weather(calls)], stream: true,
    })
    assert.match(await runner.finalContent(), /rain in sample city/)
    assert.equal(calls.length, 2)
  },
  async structured() {
    const shape = z.object({ city: z.string(), days: z.number().int(), tags: z.array(z.string()) })
    const answer = await client.chat.completions.parse({
      ...user('a forecast'), response_format: zodResponseFormat(shape, 'forecast'),
    })
    assert.equal(answer.choices[0].message.parsed.city, 'sample city')
  },
  async embeddings() {
    const asked = client.embeddings.create({ model: embeddingModel, input: ['one', 'two'] })
    if (embeddingModel === model) {
      await fails(asked, (e) => assert.ok(e instanceof OpenAI.BadRequestError, `${e}`)) // its vendor has none
      return
    }
    const answer = await asked
    assert.equal(answer.data.length, 2)
    assert.equal(answer.data[1].embedding.length, 8)
    assert.equal(typeof answer.data[1].embedding[0], 'number')
  },
  async models() {
    const ids = []
    for await (const m of client.models.list()) ids.push(m.id)
    assert.ok(ids.length > 0 && ids.includes('echo#demo'), `${ids}`)
    assert.equal((await client.models.retrieve('echo#demo')).id, 'echo#demo')
  },
  async 'wrong key'() {
    const stranger = new OpenAI({ apiKey: 'sk-wrong', baseURL: `${url}/v1`, maxRetries: 0 })
    await fails(stranger.chat.completions.create(user('hello')), (e) => assert.ok(e instanceof OpenAI.AuthenticationError, `${e}`))
  },
  async 'no such model'() {
    await fails(client.chat.completions.create({ ...user('hello'), model: 'no-such-model' }), (e) => {
      assert.ok(e instanceof OpenAI.NotFoundError, `${e}`)
      assert.equal(e.code, 'model_not_found')
    })
  },
  async 'rate limit'() {
    await fails(client.chat.completions.create(user('[[error-429]]')), (e) => {
      assert.ok(e instanceof OpenAI.RateLimitError, `${e}`)
      assert.equal(e.headers.get('retry-after'), '1')
    })
  },
  async 'bad request'() {
    await fails(client.chat.completions.create(user('[[error]]')), (e) => assert.ok(e instanceof OpenAI.BadRequestError, `${e}`))
  },
  async 'server error'() {
    await fails(client.chat.completions.create(user('[[error-500]]')), (e) => assert.ok(e instanceof OpenAI.InternalServerError, `${e}`))
  },
  async 'error in a stream'() {
    const asked = client.chat.completions.create({ ...user('[[error-midstream]]'), stream: true })
    await fails(asked.then((stream) => collect(stream, () => '')), (e) => assert.ok(e instanceof OpenAI.APIError, `${e}`))
  },
})
