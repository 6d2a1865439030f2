import argparse
import os


def init():
    global greeting
    parser = argparse.ArgumentParser()
    parser.add_argument("--greeting")
    greeting = parser.parse_args().greeting


def run(mini_batch):
    rows = []
    for path in mini_batch:
        with open(path) as file:
            rows.append(f"{greeting}, {file.read().strip()} of {os.path.basename(path)}")
    return rows
