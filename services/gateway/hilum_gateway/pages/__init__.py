"""The web pages, for people: server-rendered, with htmx for what changes while one looks."""

from hilum_gateway.pages.install import install

__all__ = ["install"]
