"""What several tests start from."""

import os
from pathlib import Path

import pytest
import yaml
from given import SMALL
from hypothesis import settings

from browser import chromium
from exams.contract import read_contract
from exams.places import WAREHOUSE
from postgres import cluster

ROOT = Path(__file__).parents[1]
LONGEST = {"test_recovery.py": -2, "test_end_to_end.py": -1}  # files that take minutes

settings.register_profile("house", deadline=None, database=None)  # machines may be busy
settings.load_profile("house")


def pytest_collection_modifyitems(items):
    """Let files of slow tests come first: none is begun when all others are done."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.path not in slow, LONGEST.get(item.path.name, 0)))


@pytest.fixture
def contract_of(tmp_path):
    """Return a function that reads a contract from its content."""

    def read(content):
        path = tmp_path / "contract.yaml"
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        return read_contract(path)

    return read


@pytest.fixture
def small(contract_of):
    return contract_of(SMALL)


@pytest.fixture(scope="session")
def shipped():
    return read_contract(ROOT / "data/contract.yaml")


@pytest.fixture(autouse=True)
def in_a_file(monkeypatch):
    """Let the warehouse be a file, whatever tests before have handed on."""
    monkeypatch.setenv(WAREHOUSE, "")


@pytest.fixture(scope="session")
def postgres():
    """Return a PostgreSQL server."""
    with cluster() as started:
        yield started


@pytest.fixture(params=["file", "server"])
def store(request, in_a_file, monkeypatch):
    """Run a test twice: with the warehouse in a file, and on a server."""
    if request.param == "server":
        address = request.getfixturevalue("postgres").new_database()
        monkeypatch.setenv(WAREHOUSE, address)
    return request.param


@pytest.fixture(scope="session")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def reference():
    """Return the folder of the reference delivery and its figures of record."""
    folder = Path(os.environ.get("EXAMS_REFERENCE_DIR", ROOT.parent / "shared/data"))
    if not (folder / "StudentsPerformance.csv").is_file():
        pytest.skip(f"no reference delivery in {folder}: set EXAMS_REFERENCE_DIR")
    return folder
