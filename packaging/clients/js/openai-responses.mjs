// OpenAI's client on the Responses API.
import OpenAI from 'openai'
import { zodTextFormat } from 'openai/helpers/zod'
import { z } from 'zod'
import { assert, fails, key, model, pixel, run, seen, url } from './check.mjs'

const client = new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0 })
const weather = {
  type: 'function', name: 'get_weather', description: 'The weather of a city.', strict: false,
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
}

/** Answers the calls of an answer, and asks again until there are none. */
async function loop(ask) {
  const input = [{ role: 'user', content: '[[tools]] parallel' }]
  for (let turn = 0; turn < 3; turn++) {
    const answer = await ask({ model, input, tools: [weather], store: false })
    const calls = answer.output.filter((item) => item.type === 'function_call')
    if (calls.length === 0) return answer.output_text
    for (const { parsed_arguments, ...item } of answer.output) input.push(item)
    for (const call of calls) {
      input.push({ type: 'function_call_output', call_id: call.call_id, output: `rain in ${JSON.parse(call.arguments).city}` })
    }
  }
  assert.fail('the loop has no end')
}

await run({
  async whole() {
    const answer = await client.responses.create({ model, instructions: 'be brief', input: 'hello big world' })
    assert.equal(answer.output_text, 'hello big world')
    assert.equal(answer.status, 'completed')
    assert.ok(answer.usage.input_tokens > 0 && answer.usage.output_tokens > 0)
  },
  async stream() {
    const stream = client.responses.stream({ model, input: 'hello big world' })
    const deltas = []
    stream.on('response.output_text.delta', (event) => deltas.push(event.delta))
    const answer = await stream.finalResponse()
    assert.equal(answer.output_text, 'hello big world')
    assert.equal(deltas.join(''), 'hello big world')
    assert.ok(deltas.length > 1, `${deltas.length} pieces`)
  },
  async image() {
    const answer = await client.responses.create({
      model,
      input: [{
        role: 'user',
        content: [
          { type: 'input_text', text: 'what is it?' },
          { type: 'input_image', image_url: `data:image/png;base64,${pixel}`, detail: 'auto' },
        ],
      }],
    })
    assert.match(answer.output_text, seen)
  },
  async tools() {
    assert.match(await loop((params) => client.responses.create(params)), /get_weather answered: rain in sample city/)
  },
  async 'tools streamed'() {
    assert.match(await loop((params) => client.responses.stream(params).finalResponse()), /rain in sample city/)
  },
  async structured() {
    const shape = z.object({ city: z.string(), days: z.number().int() })
    const answer = await client.responses.parse({ model, input: 'a forecast', text: { format: zodTextFormat(shape, 'forecast') } })
    assert.equal(answer.output_parsed.city, 'sample city')
  },
  async 'stored state'() {
    await fails(client.responses.create({ model, input: 'hello', previous_response_id: 'resp_1' }), (e) => {
      assert.ok(e instanceof OpenAI.BadRequestError, `${e}`)
      assert.equal(e.param, 'previous_response_id')
    })
  },
  async 'wrong key'() {
    const stranger = new OpenAI({ apiKey: 'sk-wrong', baseURL: `${url}/v1`, maxRetries: 0 })
    await fails(stranger.responses.create({ model, input: 'hello' }), (e) => assert.ok(e instanceof OpenAI.AuthenticationError, `${e}`))
  },
  async 'rate limit'() {
    await fails(client.responses.create({ model, input: '[[error-429]]' }), (e) => {
      assert.ok(e instanceof OpenAI.RateLimitError, `${e}`)
      assert.equal(e.headers.get('retry-after'), '1')
    })
  },
  async 'error in a stream'() {
    const stream = client.responses.stream({ model, input: '[[error-midstream]]' })
    let failed
    stream.on('response.failed', (event) => (failed = event.response.error))
    await stream.finalResponse().catch((e) => (failed ??= e))
    assert.ok(failed?.message, 'nothing tells of the failure')
  },
})
