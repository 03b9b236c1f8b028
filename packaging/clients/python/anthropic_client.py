"""Anthropic's client for Python."""

import anthropic
from anthropic import Anthropic, beta_tool
from check import KEY, MODEL, PIXEL, SEEN, URL, check, fails, run
from pydantic import BaseModel

client = Anthropic(api_key=KEY, base_url=URL, max_retries=0)

TOOL = {
    "name": "get_weather",
    "description": "The weather of a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


class Forecast(BaseModel):
    """A forecast of the weather."""

    city: str
    days: int


def user(content, **more):
    """The arguments of a question."""
    return {"model": MODEL, "max_tokens": 1000, "messages": [{"role": "user", "content": content}], **more}


def text_of(message):
    """The text of an answer."""
    return "".join(block.text for block in message.content if block.type == "text")


@check
def example_of_the_readme():
    """The model is Anthropic's, whatever MODEL is."""
    client = Anthropic(api_key=KEY, base_url=URL)

    response = client.messages.create(
        model="claude-3-5-sonnet-20241022#anthropic",
        max_tokens=1000,
        messages=[{"role": "user", "content": "Hello!"}],
    )
    assert text_of(response) == "Hello!", response


@check
def whole():
    """An answer in one piece."""
    message = client.messages.create(**user("hello big world", system="be brief"))
    assert text_of(message) == "hello big world" and message.stop_reason == "end_turn", message
    assert message.usage.input_tokens > 0 and message.usage.output_tokens > 0, message.usage


@check
def stream():
    """An answer in pieces."""
    with client.messages.stream(**user("hello big world")) as events:
        pieces = list(events.text_stream)
        message = events.get_final_message()
    assert text_of(message) == "".join(pieces) == "hello big world" and len(pieces) > 1, pieces


@check
def image():
    """A picture in the question."""
    parts = [
        {"type": "text", "text": "what is it?"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
    ]
    assert SEEN in text_of(client.messages.create(**user(parts)))


def tool_loop(ask):
    """Answers the calls of an answer, and asks again until there are none."""
    messages = [{"role": "user", "content": "[[tools]] parallel"}]
    for _ in range(3):
        message = ask({"model": MODEL, "max_tokens": 1000, "messages": messages, "tools": [TOOL]})
        calls = [block for block in message.content if block.type == "tool_use"]
        if not calls:
            return text_of(message)
        messages.append({"role": "assistant", "content": message.content})
        results = [
            {"type": "tool_result", "tool_use_id": call.id, "content": f"rain in {call.input['city']}"}
            for call in calls
        ]
        messages.append({"role": "user", "content": results})
    raise AssertionError("the loop has no end")


@check
def tools():
    """A loop of calls and answers."""
    assert "rain in sample city" in tool_loop(lambda params: client.messages.create(**params))


@check
def tools_streamed():
    """The same in pieces."""

    def ask(params):
        with client.messages.stream(**params) as events:
            return events.get_final_message()

    assert "rain in sample city" in tool_loop(ask)


@check
def tool_runner():
    """A loop that the client goes through by itself."""

    @beta_tool
    def get_weather(city: str) -> str:
        """The weather of a city.

        Args:
            city: The city.
        """
        return f"rain in {city}"

    runner = client.beta.messages.tool_runner(**user("[[tools]] the weather"), tools=[get_weather])
    assert "rain in sample city" in text_of(runner.until_done())


@check
def structured():
    """An answer that fits a schema."""
    message = client.messages.parse(**user("a forecast"), output_format=Forecast)
    assert message.parsed_output.city == "sample city", message


@check
def count_tokens():
    """The size of a question."""
    count = client.messages.count_tokens(
        model=MODEL, messages=[{"role": "user", "content": "one two three"}]
    )
    assert count.input_tokens > 0


@check
def models():
    """The list of models, and one of them."""
    assert "echo#demo" in [model.id for model in client.models.list()]
    assert client.models.retrieve("echo#demo").id == "echo#demo"


@check
def wrong_key():
    """A key that is not the proxy's."""
    stranger = Anthropic(api_key="sk-wrong", base_url=URL, max_retries=0)
    fails(anthropic.AuthenticationError, lambda: stranger.messages.create(**user("hello")))


@check
def no_such_model():
    """A model that nobody has."""
    question = {**user("hello"), "model": "no-such-model"}
    fails(anthropic.NotFoundError, lambda: client.messages.create(**question))


@check
def rate_limit():
    """Too many requests."""
    error = fails(anthropic.RateLimitError, lambda: client.messages.create(**user("[[error-429]]")))
    assert error.response.headers["retry-after"] == "1", error.response.headers


@check
def bad_request():
    """A request that the vendor refuses."""
    fails(anthropic.BadRequestError, lambda: client.messages.create(**user("[[error]]")))


@check
def error_in_a_stream():
    """A vendor that fails in the middle of an answer."""

    def ask():
        with client.messages.stream(**user("[[error-midstream]]")) as events:
            return events.get_final_message()

    fails(anthropic.APIError, ask)


run()
