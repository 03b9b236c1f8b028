// Anthropic's client.
import Anthropic from '@anthropic-ai/sdk'
import { betaZodTool } from '@anthropic-ai/sdk/helpers/beta/zod'
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod'
import { z } from 'zod'
import { assert, fails, key, model, pixel, run, seen, url } from './check.mjs'

const client = new Anthropic({ apiKey: key, baseURL: url, maxRetries: 0 })
const user = (content) => ({ model, max_tokens: 1000, messages: [{ role: 'user', content }] })
const textOf = (message) => message.content.filter((b) => b.type === 'text').map((b) => b.text).join('')
const weather = (calls) => betaZodTool({
  name: 'get_weather',
  description: 'The weather of a city.',
  inputSchema: z.object({ city: z.string() }),
  run: ({ city }) => {
    calls.push(city)
    return `rain in ${city}`
  },
})

await run({
  async whole() {
    const message = await client.messages.create({ ...user('hello big world'), system: 'be brief' })
    assert.equal(textOf(message), 'hello big world')
    assert.equal(message.stop_reason, 'end_turn')
    assert.ok(model.startsWith(message.model), message.model)
    assert.ok(message.usage.input_tokens > 0 && message.usage.output_tokens > 0)
  },
  async stream() {
    const pieces = []
    const stream = client.messages.stream(user('hello big world')).on('text', (text) => pieces.push(text))
    assert.equal(textOf(await stream.finalMessage()), 'hello big world')
    assert.ok(pieces.length > 1, `${pieces.length} pieces`)
  },
  async image() {
    const message = await client.messages.create(user([
      { type: 'text', text: 'what is it?' },
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: pixel } },
    ]))
    assert.match(textOf(message), seen)
  },
  async toolRunner() {
    const calls = []
    const message = await client.beta.messages.toolRunner({ ...user('[[tools]] the weather'), tools: [weather(calls)] })
    assert.match(textOf(message), /get_weather answered: rain in sample city/)
    assert.deepEqual(calls, ['sample city'])
  },
  async 'toolRunner streamed'() {
    const calls = []
    const runner = client.beta.messages.toolRunner({ ...user('[[tools]] parallel'), tools: [weather(calls)], stream: true })
    assert.match(textOf(await runner), /rain in sample city/)
    assert.equal(calls.length, 2)
  },
  async structured() {
    const shape = z.object({ city: z.string(), days: z.number().int() })
    const message = await client.messages.parse({ ...user('a forecast'), output_config: { format: zodOutputFormat(shape) } })
    assert.equal(message.parsed_output.city, 'sample city')
  },
  async count_tokens() {
    const { max_tokens, ...params } = user('one two three')
    assert.ok((await client.messages.countTokens(params)).input_tokens > 0)
  },
  async models() {
    const ids = []
    for await (const m of client.models.list()) ids.push(m.id)
    assert.ok(ids.includes('echo#demo'), `${ids}`)
    assert.equal((await client.models.retrieve('echo#demo')).id, 'echo#demo')
  },
  async 'wrong key'() {
    const stranger = new Anthropic({ apiKey: 'sk-wrong', baseURL: url, maxRetries: 0 })
    await fails(stranger.messages.create(user('hello')), (e) => assert.ok(e instanceof Anthropic.AuthenticationError, `${e}`))
  },
  async 'no such model'() {
    await fails(client.messages.create({ ...user('hello'), model: 'no-such-model' }), (e) => assert.ok(e instanceof Anthropic.NotFoundError, `${e}`))
  },
  async 'rate limit'() {
    await fails(client.messages.create(user('[[error-429]]')), (e) => {
      assert.ok(e instanceof Anthropic.RateLimitError, `${e}`)
      assert.equal(e.headers.get('retry-after'), '1')
    })
  },
  async 'bad request'() {
    await fails(client.messages.create(user('[[error]]')), (e) => assert.ok(e instanceof Anthropic.BadRequestError, `${e}`))
  },
  async 'server error'() {
    await fails(client.messages.create(user('[[error-500]]')), (e) => assert.ok(e instanceof Anthropic.InternalServerError, `${e}`))
  },
  async 'error in a stream'() {
    await fails(client.messages.stream(user('[[error-midstream]]')).finalMessage(), (e) => assert.ok(e instanceof Anthropic.AnthropicError, `${e}`))
  },
})
