"""`client.image`: pictures from words, pictures edited, questions about pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from mai_sdk.resources.ask import Ask
from mai_sdk.resources.drawing import Drawing
from mai_sdk.resources.image_plan import ImageAsk
from mai_sdk.resources.looking import look

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mai_sdk.config import Timeouts
    from mai_sdk.engine.drive import AsyncDriver, Driver
    from mai_sdk.resources.core import Core
    from mai_sdk.resources.image_input import ImageInput
    from mai_sdk.resources.picture import Images
    from mai_sdk.resources.reply import Reply

__all__ = ["AsyncImage", "Image"]


class Image:
    """Pictures. Made by the client; safe to share between threads."""

    def __init__(self, core: Core, driver: Driver) -> None:
        self._core = core
        self._driver = driver

    def generate(
        self,
        prompt: str,
        *,
        model: str | None = None,
        width: int | None = None,
        height: int | None = None,
        n: int = 1,
        auto_aspect_ratio: bool | None = None,
        web_grounding: bool | None = None,
        background: Literal["transparent", "opaque"] | None = None,
        requests_per_minute: float | None = None,
        resend_unknown: bool = False,
        timeout: float | Timeouts | None = None,
        tags: Mapping[str, str] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> Images:
        """Draw pictures from words, and return them with what they cost.

        Billed by the token: those of the prompt, and width x height / 1024 for each picture. One
        takes 30 to 110 seconds. A failure that surely did no work is retried; one after which the
        picture may have been drawn and billed is not, unless `resend_unknown` is True.

        Args:
            prompt: What is to be seen.
            model: A model's name, a route's name, or any deployment's name.
            width: In pixels; give both sides or neither, which leaves the size to the service. At
                least 768 a side; at most 1.05 million pixels on MAI-Image-2.5, 2.36 on 2.6, 4.19 on
                2.7. Rounded down to a multiple of 16, and `notes` says so. A model the catalog does
                not know is not limited.
            height: See `width`.
            n: How many. The service draws one a request, so this is `n` requests side by side, up
                to 8 at a time, each billed. If some fail, the error has the others on `partial`.
            auto_aspect_ratio: Let the model choose the shape (MAI-Image-2.6).
            web_grounding: Let it search the web first (MAI-Image-2.6).
            background: What lies behind the subject (MAI-Image-2.7).
            requests_per_minute: The deployment's quota, if `n` is to stay within it: requests then
                begin evenly spread, over all calls of this client that give it. Without it, they
                go at once, and a 429 is waited out as long as it asks.
            resend_unknown: Whether to ask once more where nobody knows whether it was drawn.
            timeout: Seconds for the whole call, or `Timeouts`; 1800, and 600 to the first byte.
            tags: Kept with the receipt; reports can be split by them.
            extra_body: Fields added to the request as they are; they win over ours.
            extra_headers: Headers added to the request. Never a key.

        Raises:
            NotConfigured: No route leads to the model; the text says what to set.
            InvalidRequest: The call is wrong as it stands; nothing was sent.
            UnsupportedFeature: The model is known not to do it; the text names those that do.
            ContentFiltered: The safety system stopped it.
            CallFailed: The service refused or failed, or no answer came; see `mai_sdk.errors`.
        """
        ask = ImageAsk(
            prompt=prompt,
            model=model,
            width=width,
            height=height,
            n=n,
            auto_aspect_ratio=auto_aspect_ratio,
            web_grounding=web_grounding,
            background=background,
            requests_per_minute=requests_per_minute,
            resend_unknown=resend_unknown,
            timeout=timeout,
            tags=tags,
            extra_body=extra_body,
            extra_headers=extra_headers,
        )
        return self._driver.run(Drawing(self._core, ask, verb="generate").flow())

    def edit(
        self,
        prompt: str,
        *,
        images: ImageInput | Iterable[ImageInput],
        model: str | None = None,
        width: int | None = None,
        height: int | None = None,
        n: int = 1,
        auto_aspect_ratio: bool | None = None,
        web_grounding: bool | None = None,
        background: Literal["transparent", "opaque"] | None = None,
        requests_per_minute: float | None = None,
        resend_unknown: bool = False,
        timeout: float | Timeouts | None = None,
        tags: Mapping[str, str] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> Images:
        """Draw pictures from words and other pictures, and return them with what they cost.

        Billed as for `generate`, and for the pictures that go in. Arguments as there, and:

        Args:
            prompt: What is to be changed, or made of them.
            images: PNG or JPEG: paths, bytes, open files, data URLs, or what an earlier call gave
                back. Five at most on MAI-Image-2.5 and 2.6. Read before anything is sent; a file
                that is missing, empty or of another kind is refused.
            model: See `generate`.
            width: Sources disagree whether an edit takes a size: Microsoft documents none. Sent
                only if you give it.
            height: See `width`.
            n: See `generate`.
            auto_aspect_ratio: See `generate`.
            web_grounding: See `generate`.
            background: See `generate`.
            requests_per_minute: See `generate`.
            resend_unknown: See `generate`.
            timeout: See `generate`.
            tags: See `generate`.
            extra_body: Fields added to the form: texts as they are, anything else as JSON.
            extra_headers: See `generate`.

        Raises:
            NotConfigured: No route leads to the model.
            InvalidRequest: The call is wrong as it stands; nothing was sent.
            UnsupportedFeature: The model is known not to edit; the text names those that do.
            CallFailed: As for `generate`.
        """
        ask = ImageAsk(
            prompt=prompt,
            images=images,
            model=model,
            width=width,
            height=height,
            n=n,
            auto_aspect_ratio=auto_aspect_ratio,
            web_grounding=web_grounding,
            background=background,
            requests_per_minute=requests_per_minute,
            resend_unknown=resend_unknown,
            timeout=timeout,
            tags=tags,
            extra_body=extra_body,
            extra_headers=extra_headers,
        )
        return self._driver.run(Drawing(self._core, ask, verb="edit").flow())

    def ask(
        self,
        question: str,
        *,
        images: ImageInput | Iterable[ImageInput],
        model: str | None = None,
        instructions: str | None = None,
        max_output_tokens: int | None = None,
        temperature: float | None = None,
        timeout: float | Timeouts | None = None,
        tags: Mapping[str, str] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Ask about pictures, and return the answer with what it cost.

        A chat call to a model that sees: billed and retried as `client.reasoning.create` is, with
        its time limits. No MAI-Image model answers questions: their only output is a picture.

        Args:
            question: What you want to know.
            images: As for `edit`; GIF, WebP and addresses too, which are passed on.
            model: One that sees. By default the first that is known to, MAI-Code-1.1-Flash.
            instructions: The system message.
            max_output_tokens: The most the model may write, thoughts included.
            temperature: 0 to 2; the service's own default if omitted.
            timeout: Seconds for the whole call, or `Timeouts`.
            tags: Kept with the receipt; reports can be split by them.
            extra_body: Fields added to the request as they are; they win over ours.
            extra_headers: Headers added to the request. Never a key.

        Raises:
            NotConfigured: No route leads to the model; the text says what to set.
            UnsupportedFeature: The model is known not to see; the text names those that do.
            InvalidRequest: The call is wrong as it stands; nothing was sent.
            CallFailed: The service refused or failed, or no answer came; see `mai_sdk.errors`.
        """
        ask = Ask(
            prompt=question,
            model=model,
            instructions=instructions,
            max_output_tokens=max_output_tokens,
            temperature=temperature,
            timeout=timeout,
            tags=tags,
            extra_body=extra_body,
            extra_headers=extra_headers,
        )
        return self._driver.run(look(self._core, ask, images))


class AsyncImage:
    """See `Image`. Safe to share between tasks."""

    def __init__(self, core: Core, driver: AsyncDriver) -> None:
        self._core = core
        self._driver = driver

    async def generate(
        self,
        prompt: str,
        *,
        model: str | None = None,
        width: int | None = None,
        height: int | None = None,
        n: int = 1,
        auto_aspect_ratio: bool | None = None,
        web_grounding: bool | None = None,
        background: Literal["transparent", "opaque"] | None = None,
        requests_per_minute: float | None = None,
        resend_unknown: bool = False,
        timeout: float | Timeouts | None = None,  # noqa: ASYNC109 - the call's, retries included
        tags: Mapping[str, str] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> Images:
        """See `Image.generate`."""
        ask = ImageAsk(
            prompt=prompt,
            model=model,
            width=width,
            height=height,
            n=n,
            auto_aspect_ratio=auto_aspect_ratio,
            web_grounding=web_grounding,
            background=background,
            requests_per_minute=requests_per_minute,
            resend_unknown=resend_unknown,
            timeout=timeout,
            tags=tags,
            extra_body=extra_body,
            extra_headers=extra_headers,
        )
        return await self._driver.run(Drawing(self._core, ask, verb="generate").flow())

    async def edit(
        self,
        prompt: str,
        *,
        images: ImageInput | Iterable[ImageInput],
        model: str | None = None,
        width: int | None = None,
        height: int | None = None,
        n: int = 1,
        auto_aspect_ratio: bool | None = None,
        web_grounding: bool | None = None,
        background: Literal["transparent", "opaque"] | None = None,
        requests_per_minute: float | None = None,
        resend_unknown: bool = False,
        timeout: float | Timeouts | None = None,  # noqa: ASYNC109 - the call's, retries included
        tags: Mapping[str, str] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> Images:
        """See `Image.edit`."""
        ask = ImageAsk(
            prompt=prompt,
            images=images,
            model=model,
            width=width,
            height=height,
            n=n,
            auto_aspect_ratio=auto_aspect_ratio,
            web_grounding=web_grounding,
            background=background,
            requests_per_minute=requests_per_minute,
            resend_unknown=resend_unknown,
            timeout=timeout,
            tags=tags,
            extra_body=extra_body,
            extra_headers=extra_headers,
        )
        return await self._driver.run(Drawing(self._core, ask, verb="edit").flow())

    async def ask(
        self,
        question: str,
        *,
        images: ImageInput | Iterable[ImageInput],
        model: str | None = None,
        instructions: str | None = None,
        max_output_tokens: int | None = None,
        temperature: float | None = None,
        timeout: float | Timeouts | None = None,  # noqa: ASYNC109 - the call's, retries included
        tags: Mapping[str, str] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """See `Image.ask`."""
        ask = Ask(
            prompt=question,
            model=model,
            instructions=instructions,
            max_output_tokens=max_output_tokens,
            temperature=temperature,
            timeout=timeout,
            tags=tags,
            extra_body=extra_body,
            extra_headers=extra_headers,
        )
        return await self._driver.run(look(self._core, ask, images))
