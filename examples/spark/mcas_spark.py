#!/usr/bin/env python3
"""mcas_spark.py DIR OUT: what `extract` does, on a cluster.

    spark-submit --py-files examples/pipeline/mcas_exchanges.py \\
        examples/spark/mcas_spark.py DIR OUT

Each executor runs tshark, with the M-CAS plugin, on captures of its own. DIR
is a folder that all of them see under that name, such as NFS; with a scheme
(hdfs://…, s3a://…) Spark brings the captures' bytes instead, as binaryFiles
does, up to 2 GB each.

    OUT/exchanges/day=YYYY-MM-DD/   Parquet: a row for each exchange
    OUT/captures/                   Parquet: a row for each capture, with the
                                    reason where not all of it could be read

The rows are those of `extract`, with `day`, in UTC, besides. Run again, it
writes both anew: nothing is there twice. An executor that is lost takes
nothing along: Spark has its captures read again. A missing plugin, or one that
is not that of the machine that started the job, ends it.

    --secrets       passwords too, which are left out otherwise
    --partitions N  so many tasks at least; else one a capture

SPDX-License-Identifier: MIT OR Apache-2.0
"""

import argparse
import json
import os
import re
import sys
import tempfile

from pyspark import StorageLevel
from pyspark.sql import SparkSession, functions, types

import mcas_exchanges

TYPES = {"BIGINT": types.LongType(), "DOUBLE": types.DoubleType(),
         "BOOLEAN": types.BooleanType(), "VARCHAR": types.StringType(),
         "TIMESTAMP": types.TimestampType()}


def spark_type(kind):
    """Spark's type for one of mcas_exchanges.columns."""
    if isinstance(kind, tuple):
        return types.ArrayType(TYPES[kind[0]])
    if isinstance(kind, dict):
        return types.StructType([types.StructField(name, spark_type(of))
                                 for name, of in kind.items()])
    return TYPES[kind]


def read(capture, wanted, folder, secrets):
    """On an executor: ("captures" or "exchanges", JSON) of one capture, which
    is a name, or a name and its bytes."""
    if mcas_exchanges.schema() != wanted:
        raise mcas_exchanges.NoPlugin("this executor has another version of "
                                      "the M-CAS plugin than the driver")
    if isinstance(capture, str):
        found, rows = mcas_exchanges.read(
            os.path.join(folder, capture), capture, wanted, secrets)
    else:
        path, content = capture
        name = os.path.relpath(path, folder)
        with tempfile.NamedTemporaryFile() as file:
            file.write(content)
            file.flush()
            found, rows = mcas_exchanges.read(file.name, name, wanted, secrets)
        # The temporary file's name is nobody's business.
        if found["reason"]:
            found["reason"] = found["reason"].replace(file.name, path)
            for row in rows:
                row["damage"] = found["reason"]
    yield "captures", json.dumps(found)
    for row in rows:
        yield "exchanges", json.dumps(row)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", metavar="DIR")
    parser.add_argument("out", metavar="OUT")
    parser.add_argument("--secrets", action="store_true")
    parser.add_argument("--partitions", type=int)
    options = parser.parse_args()
    folder, secrets = options.folder, options.secrets

    wanted = mcas_exchanges.schema()
    spark = SparkSession.builder.appName("mcas").getOrCreate()
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    context = spark.sparkContext
    if "://" in folder:
        hadoop = context._jsc.hadoopConfiguration()
        hadoop.set("mapreduce.input.fileinputformat.input.dir.recursive",
                   "true")
        captures = context.binaryFiles(folder, options.partitions).filter(
            lambda file: mcas_exchanges.CAPTURE.search(file[0]))
        folder = re.sub("^file:/+", "file:/", folder)  # as Spark names them
    else:
        found = mcas_exchanges.captures(folder)
        if not found:
            sys.exit(f"mcas_spark: no captures below {folder}")
        captures = context.parallelize(
            found, options.partitions or len(found))
    # Kept, since two tables come of it; an executor's share is lost with it
    # and made again.
    lines = captures.flatMap(
        lambda capture: read(capture, wanted, folder, secrets)
    ).persist(StorageLevel.DISK_ONLY)

    def table(name, columns):
        chosen = lines.filter(lambda line: line[0] == name).values()
        return spark.read.json(chosen, spark_type(columns), mode="FAILFAST")

    exchanges = table("exchanges", mcas_exchanges.columns(wanted["fields"]))
    exchanges = exchanges.withColumn("day", functions.to_date("time"))
    exchanges.repartition("day").sortWithinPartitions("capture", "exchange") \
        .write.mode("overwrite").partitionBy("day") \
        .parquet(os.path.join(options.out, "exchanges"))
    captures = table("captures", mcas_exchanges.CAPTURES)
    captures.repartition(1).sortWithinPartitions("capture") \
        .write.mode("overwrite").parquet(os.path.join(options.out, "captures"))
    spark.stop()


if __name__ == "__main__":
    mcas_exchanges.run_main(main)
