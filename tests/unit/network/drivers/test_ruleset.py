"""Differences are played on a model of nftables that refuses what the kernel refuses."""

import re

from hypothesis import given
from hypothesis import strategies as st

from pilvi.network.drivers.linux.ruleset import Chain, NamedSet, Table, difference, fingerprint, replacement

HOOK = "type filter hook forward priority 0; policy drop;"
CHAIN_NAMES = ["c1", "c2", "c3"]


class Model:
    """Just enough of nft for the scripts we write: dangling references and busy chains are errors."""

    def __init__(self, table: Table) -> None:
        self.sets = {name: dict(one.elements) for name, one in table.sets.items()}
        self.chains = {name: list(chain.rules) for name, chain in table.chains.items()}

    def play(self, script: str) -> None:
        for line in script.splitlines():
            verb, what, _, _, rest = line.split(" ", 4)
            getattr(self, f"{verb}_{what}")(*self._split(rest))
        for name in self._referred():
            assert name in self.chains, f"a rule or element leads to {name}, which is not there"

    @staticmethod
    def _split(rest: str) -> tuple[str, str]:
        name, _, content = rest.partition(" ")
        return name, content

    def _referred(self) -> set[str]:
        texts = [rule for rules in self.chains.values() for rule in rules]
        texts += [value for elements in self.sets.values() for value in elements.values()]
        return {name for text in texts for name in re.findall(r"(?:jump|goto) (\w+)", text)}

    def add_set(self, name: str, _: str) -> None:
        assert name not in self.sets
        self.sets[name] = {}

    add_map = add_set

    def delete_set(self, name: str, _: str) -> None:
        del self.sets[name]

    delete_map = delete_set

    def flush_map(self, name: str, _: str) -> None:
        self.sets[name].clear()

    def add_chain(self, name: str, _: str) -> None:
        assert name not in self.chains
        self.chains[name] = []

    def delete_chain(self, name: str, _: str) -> None:
        assert not self.chains[name], "only an empty chain can be deleted"
        assert name not in self._referred(), f"{name} is in use"
        del self.chains[name]

    def flush_chain(self, name: str, _: str) -> None:
        self.chains[name].clear()

    def add_rule(self, name: str, rule: str) -> None:
        for target in re.findall(r"(?:jump|goto) (\w+)", rule):
            assert target in self.chains
        self.chains[name].append(rule)

    def add_element(self, name: str, content: str) -> None:
        for key, value in self._elements(content):
            for target in re.findall(r"goto (\w+)", value):
                assert target in self.chains
            assert key not in self.sets[name], "an interval that is there cannot be added again"
            self.sets[name][key] = value

    def delete_element(self, name: str, content: str) -> None:
        for key, value in self._elements(content):
            assert self.sets[name].pop(key) == value

    @staticmethod
    def _elements(content: str) -> list[tuple[str, str]]:
        pairs = [one.partition(" : ") for one in content.strip("{} ").split(", ")]
        return [(key, value) for key, _, value in pairs]


@st.composite
def tables(draw: st.DrawFn) -> Table:
    chains = draw(st.sets(st.sampled_from(CHAIN_NAMES)))
    plain = ["accept", "drop", "ip saddr 10.0.0.1 accept"]
    # Jumps only lead forward in the alphabet, for nft refuses loops.
    bodies = {
        name: Chain(tuple(draw(st.lists(st.sampled_from([*plain, *(f"jump {x}" for x in chains if x > name)])))))
        for name in chains
    }
    bodies["base"] = Chain(tuple(draw(st.lists(st.sampled_from(plain)))), HOOK)
    sets = {
        name: NamedSet("ipv4_addr", elements=dict.fromkeys(draw(st.sets(st.sampled_from("1234"))), ""))
        for name in draw(st.sets(st.sampled_from(["s1", "s2"])))
    }
    verdicts = ["accept", *(f"goto {name}" for name in chains)]
    for name in draw(st.sets(st.sampled_from(["m1", "m2"]))):
        elements = draw(st.dictionaries(st.sampled_from("1234"), st.sampled_from(verdicts)))
        sets[name] = NamedSet("ifname", "verdict", elements=elements)
    return Table("bridge", "t", sets, bodies)


@given(tables(), tables())
def test_a_difference_leads_from_the_old_rules_to_the_new(old: Table, new: Table) -> None:
    script = difference((old,), (new,))
    assert script is not None
    model = Model(old)
    model.play(script)
    assert model.__dict__ == Model(new).__dict__


@given(tables())
def test_equal_rules_differ_by_nothing(table: Table) -> None:
    assert difference((table,), (table,)) == ""
    assert fingerprint((table,)) == fingerprint((table,))


def test_what_cannot_be_changed_in_place_is_replaced() -> None:
    old = Table("inet", "t", {"s": NamedSet("ipv4_addr")}, {"base": Chain((), HOOK)})
    new = Table("inet", "t", {"s": NamedSet("ipv4_addr", is_interval=True)}, {"base": Chain((), HOOK)})
    assert difference((old,), (new,)) == replacement((new,))
    other_hook = Table("inet", "t", {}, {"base": Chain((), HOOK.replace("drop", "accept"))})
    assert difference((old,), (other_hook,)) is None
