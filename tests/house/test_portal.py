"""Nothing attaches a session to an account but cred's realm, which only a portal calls: read from the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from tests.house.test_tree import OURS

SERVER = {name: tree for name, tree in OURS.items() if name.startswith(("server/", "operator/"))}


def functions_of(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Each node of a module with the name of the function it stands in."""

    def within(node: ast.AST, function: str) -> Iterator[tuple[str, ast.AST]]:
        for child in ast.iter_child_nodes(node):
            inner = child.name if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else function
            yield inner, child
            yield from within(child, inner)

    return within(tree, "")


def called(*methods: str) -> set[tuple[str, str]]:
    """Where a method of one of these names is called, on anything: file and function."""
    return {
        (name, function)
        for name, tree in SERVER.items()
        for function, node in functions_of(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in methods
    }


def assigned(attribute: str) -> set[tuple[str, str]]:
    """Where an attribute of that name is set, on anything: file and function."""
    return {
        (name, function)
        for name, tree in SERVER.items()
        for function, node in functions_of(tree)
        if isinstance(node, ast.Attribute) and node.attr == attribute and isinstance(node.ctx, ast.Store)
    }


class TheAvatarOfASession(SynchronousTestCase):
    def test_is_set_where_people_sign_in_and_out_alone(self) -> None:
        self.assertEqual(
            assigned("user"),
            {
                ("server/core/user.py", "__init__"),
                ("server/core/sign_in.py", "_attach"),
                ("server/core/sign_in.py", "sign_out"),
            },
        )

    def test_is_attached_by_the_realm_alone(self) -> None:
        attaching = {("server/auth/realm.py", "_attach"), ("server/core/sign_in.py", "sign_in")}
        self.assertEqual(called("sign_in", "_attach") - {("server/auth/realm.py", "requestAvatar")}, attaching)

    def test_comes_from_a_portal_alone(self) -> None:
        self.assertEqual(called("requestAvatar"), set())
        makers = {
            name
            for name, tree in SERVER.items()
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Realm"
        }
        self.assertEqual(makers, {"server/auth/authenticator.py"})

    def test_is_asked_for_in_one_place(self) -> None:
        logins = {
            (name, function)
            for name, tree in SERVER.items()
            for function, node in functions_of(tree)
            if isinstance(node, ast.Attribute) and node.attr == "login" and "portal" in ast.unparse(node.value)
        }
        self.assertEqual(logins, {("server/auth/authenticator.py", "_enter")})
