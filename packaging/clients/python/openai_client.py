"""OpenAI's client for Python on Chat Completions, Responses, Embeddings and Models."""

import json

import openai
from check import EMBEDDING_MODEL, KEY, MODEL, PIXEL, SEEN, URL, check, fails, run
from openai import OpenAI
from pydantic import BaseModel

client = OpenAI(api_key=KEY, base_url=f"{URL}/v1", max_retries=0)

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {
    "type": "function",
    "function": {"name": "get_weather", "description": "The weather of a city.", "parameters": SCHEMA},
}
FLAT_TOOL = {"type": "function", "name": "get_weather", "parameters": SCHEMA, "strict": False}


class Forecast(BaseModel):
    """A forecast of the weather."""

    city: str
    days: int


def user(content, **more):
    """The arguments of a question."""
    return {"model": MODEL, "messages": [{"role": "user", "content": content}], **more}


def rain(arguments):
    """What the tool answers."""
    return f"rain in {json.loads(arguments)['city']}"


@check
def example_of_the_readme():
    """The model is of another vendor, whatever MODEL is."""
    client = OpenAI(api_key=KEY, base_url=f"{URL}/v1")

    # Use Claude via OpenAI client
    response = client.chat.completions.create(
        model="claude-3-5-haiku-20241022#anthropic",
        messages=[{"role": "user", "content": "Hello!"}],
    )
    assert response.choices[0].message.content == "Hello!", response


@check
def whole():
    """An answer in one piece."""
    answer = client.chat.completions.create(**user("hello big world"))
    assert answer.choices[0].message.content == "hello big world", answer
    assert answer.usage.prompt_tokens > 0 and answer.usage.completion_tokens > 0, answer.usage


@check
def stream():
    """An answer in pieces, with usage at the end."""
    pieces, usage = [], None
    for chunk in client.chat.completions.create(
        **user("hello big world"), stream=True, stream_options={"include_usage": True}
    ):
        usage = chunk.usage or usage
        if chunk.choices and chunk.choices[0].delta.content:
            pieces.append(chunk.choices[0].delta.content)
    assert "".join(pieces) == "hello big world" and len(pieces) > 1, pieces
    assert usage.total_tokens > 0


@check
def image():
    """A picture in the question."""
    parts = [
        {"type": "text", "text": "what is it?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
    ]
    answer = client.chat.completions.create(**user(parts))
    assert SEEN in answer.choices[0].message.content, answer


def tool_loop(ask):
    """Answers the calls of an answer, and asks again until there are none."""
    messages = [{"role": "user", "content": "[[tools]] parallel"}]
    for _ in range(3):
        message = ask(messages)
        if not message.tool_calls:
            return message.content
        messages.append(message)
        for call in message.tool_calls:
            messages.append(
                {"role": "tool", "tool_call_id": call.id, "content": rain(call.function.arguments)}
            )
    raise AssertionError("the loop has no end")


@check
def tools():
    """A loop of calls and answers."""

    def ask(messages):
        answer = client.chat.completions.create(model=MODEL, messages=messages, tools=[TOOL])
        return answer.choices[0].message

    assert "get_weather answered: rain in sample city" in tool_loop(ask)


@check
def tools_streamed():
    """The same in pieces."""

    def ask(messages):
        plain = [m if isinstance(m, dict) else m.model_dump(exclude_none=True) for m in messages]
        for message in plain:
            for call in message.get("tool_calls", []):
                for extra in ("index", "parsed_arguments"):
                    call.pop(extra, None)
                    call["function"].pop(extra, None)
        with client.chat.completions.stream(model=MODEL, messages=plain, tools=[TOOL]) as events:
            return events.get_final_completion().choices[0].message

    assert "rain in sample city" in tool_loop(ask)


@check
def structured():
    """An answer that fits a schema."""
    answer = client.chat.completions.parse(**user("a forecast"), response_format=Forecast)
    assert answer.choices[0].message.parsed.city == "sample city", answer


@check
def responses():
    """An answer of the Responses API."""
    answer = client.responses.create(model=MODEL, instructions="be brief", input="hello big world")
    assert answer.output_text == "hello big world" and answer.status == "completed", answer


@check
def responses_stream():
    """The same in pieces."""
    pieces = []
    with client.responses.stream(model=MODEL, input="hello big world") as events:
        for event in events:
            if event.type == "response.output_text.delta":
                pieces.append(event.delta)
        answer = events.get_final_response()
    assert answer.output_text == "".join(pieces) == "hello big world" and len(pieces) > 1, pieces


@check
def responses_tools():
    """A loop of calls and answers of the Responses API."""
    items = [{"role": "user", "content": "[[tools]] the weather"}]
    for _ in range(3):
        answer = client.responses.create(model=MODEL, input=items, tools=[FLAT_TOOL], store=False)
        calls = [item for item in answer.output if item.type == "function_call"]
        if not calls:
            break
        items += answer.output
        for call in calls:
            items.append(
                {"type": "function_call_output", "call_id": call.call_id, "output": rain(call.arguments)}
            )
    assert "rain in sample city" in answer.output_text, answer


@check
def responses_structured():
    """An answer of the Responses API that fits a schema."""
    answer = client.responses.parse(model=MODEL, input="a forecast", text_format=Forecast)
    assert answer.output_parsed.city == "sample city", answer


@check
def embeddings():
    """Vectors, where the vendor has them."""

    def ask():
        return client.embeddings.create(model=EMBEDDING_MODEL, input=["one", "two"])

    if EMBEDDING_MODEL == MODEL:
        fails(openai.BadRequestError, ask)
        return
    data = ask().data
    assert len(data) == 2 and len(data[1].embedding) == 8, data


@check
def models():
    """The list of models, and one of them."""
    assert "echo#demo" in [model.id for model in client.models.list()]
    assert client.models.retrieve("echo#demo").id == "echo#demo"


@check
def wrong_key():
    """A key that is not the proxy's."""
    stranger = OpenAI(api_key="sk-wrong", base_url=f"{URL}/v1", max_retries=0)
    fails(openai.AuthenticationError, lambda: stranger.chat.completions.create(**user("hello")))


@check
def no_such_model():
    """A model that nobody has."""
    question = {**user("hello"), "model": "no-such-model"}
    fails(openai.NotFoundError, lambda: client.chat.completions.create(**question))


@check
def rate_limit():
    """Too many requests."""
    error = fails(openai.RateLimitError, lambda: client.chat.completions.create(**user("[[error-429]]")))
    assert error.response.headers["retry-after"] == "1", error.response.headers


@check
def bad_request():
    """A request that the vendor refuses."""
    fails(openai.BadRequestError, lambda: client.chat.completions.create(**user("[[error]]")))


@check
def error_in_a_stream():
    """A vendor that fails in the middle of an answer."""
    fails(
        openai.APIError,
        lambda: list(client.chat.completions.create(**user("[[error-midstream]]"), stream=True)),
    )


run()
