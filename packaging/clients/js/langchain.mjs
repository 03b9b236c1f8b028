// LangChain with the provider named as the argument.
import { ChatAnthropic } from '@langchain/anthropic'
import { HumanMessage, ToolMessage } from '@langchain/core/messages'
import { tool } from '@langchain/core/tools'
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai'
import { z } from 'zod'
import { assert, embeddingModel, fails, key, model, pixel, run, seen, url } from './check.mjs'

const provider = process.argv[2]
const chat = () => provider === 'openai'
  ? new ChatOpenAI({ model, apiKey: key, maxRetries: 0, configuration: { baseURL: `${url}/v1` } })
  : new ChatAnthropic({ model, apiKey: key, maxRetries: 0, maxTokens: 1000, anthropicApiUrl: url })
const weather = tool(async ({ city }) => `rain in ${city}`, {
  name: 'get_weather', description: 'The weather of a city.', schema: z.object({ city: z.string() }),
})

/** Answers the calls of an answer, and asks again until there are none. */
async function loop(ask) {
  const messages = [new HumanMessage('[[tools]] parallel')]
  for (let turn = 0; turn < 3; turn++) {
    const answer = await ask(messages)
    if (!answer.tool_calls?.length) return answer.text
    messages.push(answer)
    for (const call of answer.tool_calls) {
      messages.push(new ToolMessage({ tool_call_id: call.id, content: await weather.invoke(call.args) }))
    }
  }
  assert.fail('the loop has no end')
}

/** Joins the pieces of an answer. */
async function whole(stream) {
  let sum
  for await (const piece of await stream) sum = sum ? sum.concat(piece) : piece
  return sum
}

const checks = {
  async invoke() {
    const answer = await chat().invoke('hello big world')
    assert.equal(answer.text, 'hello big world')
    assert.ok(answer.usage_metadata.input_tokens > 0 && answer.usage_metadata.output_tokens > 0)
  },
  async stream() {
    const answer = await whole(chat().stream('hello big world'))
    assert.equal(answer.text, 'hello big world')
    assert.ok(answer.usage_metadata.output_tokens > 0)
  },
  async image() {
    const content = [
      { type: 'text', text: 'what is it?' },
      { type: 'image_url', image_url: { url: `data:image/png;base64,${pixel}` } },
    ]
    assert.match((await chat().invoke([new HumanMessage({ content })])).text, seen)
  },
  async tools() {
    assert.match(await loop((messages) => chat().bindTools([weather]).invoke(messages)), /rain in sample city/)
  },
  async 'tools streamed'() {
    assert.match(await loop((messages) => whole(chat().bindTools([weather]).stream(messages))), /rain in sample city/)
  },
  async structured() {
    const shape = z.object({ city: z.string(), days: z.number() })
    const answer = await chat().withStructuredOutput(shape, { name: 'forecast' }).invoke('a forecast')
    assert.equal(answer.city, 'sample city')
  },
  async 'rate limit'() {
    await fails(chat().invoke('[[error-429]]'), (e) => assert.equal(e.status, 429, `${e}`))
  },
  async 'error in a stream'() {
    await fails(whole(chat().stream('[[error-midstream]]')), (e) => assert.ok(e instanceof Error))
  },
}
if (provider === 'openai') {
  checks.embeddings = async () => {
    const client = new OpenAIEmbeddings({ model: embeddingModel, apiKey: key, maxRetries: 0, configuration: { baseURL: `${url}/v1` } })
    const asked = client.embedDocuments(['one', 'two'])
    if (embeddingModel === model) return fails(asked, (e) => assert.equal(e.status, 400, `${e}`)) // its vendor has none
    assert.equal((await asked).length, 2)
  }
}
await run(checks)
