"""A small office: a folder of deliveries, a contract and a warehouse, without notebooks."""

from dataclasses import replace

from exams.places import Places
from exams.stages.extract import extract, find_files
from exams.stages.flow import run
from exams.stages.load import load
from exams.stages.transform import transform
from exams.warehouse.store import changing, reading
from stores import contents

QUARTER = "2024Q1"
LIMIT = 100_000_000


class Office:
    """Builds quarters through the stages, one after the other, or all of them in a stream."""

    def __init__(self, folder, contract):
        self.places = Places.of(folder / "data", folder / "reports")
        self.contract = contract

    @property
    def warehouse(self):
        return self.places.warehouse

    def folder(self, quarter=QUARTER):
        folder = self.places.delivery(quarter)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def interim(self, stage, quarter=QUARTER):
        return self.places.interim(quarter, stage)

    def deliver(self, quarter=QUARTER, **files):
        """Write texts (or bytes) as files of those names, ending in .csv."""
        for name, content in files.items():
            data = content if isinstance(content, bytes) else content.encode()
            (self.folder(quarter) / f"{name}.csv").write_bytes(data)

    def extract(self, quarter=QUARTER, *, skip=False):
        found = find_files(self.places, quarter, self.contract, LIMIT)
        return extract(found, self.interim("extract", quarter), LIMIT, skip=skip)

    def transform(self, quarter=QUARTER):
        raw, clean = (self.interim(stage, quarter) for stage in ("extract", "transform"))
        return transform(raw, self.contract, clean)

    def load(self, quarter=QUARTER):
        return load(self.interim("transform", quarter), self.contract, self.warehouse, quarter)

    def build(self, quarter=QUARTER, *, skip=False):
        self.extract(quarter, skip=skip)
        self.transform(quarter)
        return self.load(quarter)

    def stream(self, quarter=QUARTER):
        return run(self.places, quarter, self.contract, LIMIT)

    def rows(self, query):
        with reading(self.warehouse) as connection:
            return connection.execute(query).fetchall()

    def change(self, *statements):
        """Execute statements, as no stage would."""
        with changing(self.warehouse) as connection:
            for statement in statements:
                connection.execute(statement)

    def dump(self):
        """Return all that the warehouse holds: rows by table or view and names of its columns."""
        return contents(self.warehouse)


def open_office(folder, contract, address):
    """Return an office whose warehouse is on the server of this address; empty: in a file."""
    office = Office(folder, contract)
    office.places = replace(office.places, server=address)
    return office


def counts(loaded):
    """Return file, received, loaded, quarantined and resolved of each file."""
    return [tuple(row.values()) for row in loaded.files]
