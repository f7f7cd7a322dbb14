"""Builds the compiled kernels; everything else about the package stands in pyproject.toml.

A kernel family is one C file, compiled once per instruction set; the choice among the objects falls at import. Of the
package's Python, Cython compiles the files that run at every call of every layer, as they stand.
Environment variables:

    NUMNET_NO_EXT=1      build no extension: the package then runs on NumPy alone
    NUMNET_NO_OPENMP=1   build single-threaded kernels
    NUMNET_NATIVE=1      build for this very processor alone, by the name of baseline (not for distribution)
    NUMNET_WERROR=1      warnings in our own C are errors
    NUMNET_SANITIZE=1    address and undefined-behaviour sanitizers
    NUMNET_REQUIRE_EXT=1 fail, instead of going on without, where the extension does not build
"""

from __future__ import annotations

import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

SOURCES = Path("numnet/_ext")
FAMILIES = {  # module: its kernels
    "runtime": [],
    "products": ["products_kernels.c", "tile_kernels.c"],
    "maps": ["maps_kernels.c"],
    "planes": ["planes_kernels.c"],
    "elementwise": ["elementwise_kernels.c"],
    "recurrent": ["recurrent_kernels.c", "tile_kernels.c"],
    "steps": ["steps_kernels.c"],
}
PYTHON = ("call", "tape", "kernels.dispatch")  # the types of variables stand in a .pxd beside it
ISA_FLAGS = {
    "avx2": ["-mavx2", "-mfma"],
    "avx512": ["-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mfma", "-mprefer-vector-width=512"],
}
X86_TEST = "#ifndef __x86_64__\n#error not x86-64\n#endif\n#include <immintrin.h>\nint main(void) { return 0; }\n"
C11_TEST = "typedef float v __attribute__((vector_size(16)));\nint main(void) { v a = {0}; return (int)(a + a)[0]; }\n"
OPENMP_TEST = "#include <omp.h>\nint main(void) { return omp_get_max_threads() < 1; }\n"


def switched_on(variable: str) -> bool:
    return os.environ.get(variable, "0") not in ("", "0")


class BuildKernels(build_ext):
    """Compiles each family once per instruction set and links the objects into its module."""

    def build_extensions(self) -> None:
        flags = ["-std=c11", "-O3", "-g0", "-ffp-contract=fast", "-fno-math-errno"]
        flags += ["-fno-trapping-math"]  # or a choice by comparison does not become vector code
        if self.compiler.compiler_type == "msvc" or not self.works(C11_TEST, flags):
            self.give_up("the kernels need gcc or clang (vector extensions)")
            return
        link = []
        if switched_on("NUMNET_SANITIZE"):
            flags += ["-O1", "-g", "-fsanitize=address,undefined", "-fno-omit-frame-pointer"]
            link += ["-fsanitize=address,undefined"]
        if not switched_on("NUMNET_NO_OPENMP") and self.works(OPENMP_TEST, ["-fopenmp"], link_flags=["-fopenmp"]):
            flags.append("-fopenmp")
            link.append("-fopenmp")
        native = switched_on("NUMNET_NATIVE")
        x86 = not native and all(self.works(X86_TEST, isa_flags) for isa_flags in ISA_FLAGS.values())
        macros = [("NUMNET_X86", "1")] if x86 else []
        isas = {"baseline": ["-march=native"] if native else []} | (ISA_FLAGS if x86 else {})
        strict = ["-Wall", "-Wextra"] + (["-Werror"] if switched_on("NUMNET_WERROR") else [])

        def compile_for(isa: str, source: str) -> list[str]:
            return self.compiler.compile(
                [str(SOURCES / source)],
                output_dir=str(Path(self.build_temp) / isa),
                macros=[*macros, ("NUMNET_ISA", isa)],
                extra_postargs=flags + isas[isa] + strict,
            )

        try:
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                sources = dict.fromkeys(source for kernels in FAMILIES.values() for source in kernels)  # each one once
                isas_first = reversed(isas)  # the longest first
                compiled = {
                    (isa, source): pool.submit(compile_for, isa, source) for isa in isas_first for source in sources
                }
                for extension in self.extensions:
                    kernels = FAMILIES.get(extension.name.rpartition(".")[2], [])
                    extension.extra_objects += [compiled[isa, source].result()[0] for isa in isas for source in kernels]
                for extension in self.extensions:
                    extension.extra_compile_args = [*flags, "-O1"]  # Cython's C, whose work is to call
                    extension.extra_link_args = link
                    extension.define_macros += macros
                list(pool.map(self.build_extension, self.extensions))
        except Exception as error:
            self.give_up(f"the kernels did not compile: {error}")

    def works(self, program: str, flags: list[str], link_flags: list[str] | None = None) -> bool:
        """Does a small program compile, and link if ``link_flags`` are given?"""
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "test.c"
            source.write_text(program)
            try:
                objects = self.compiler.compile([str(source)], output_dir=folder, extra_postargs=flags)
                if link_flags is not None:
                    self.compiler.link_executable(objects, str(Path(folder) / "test"), extra_postargs=link_flags)
            except Exception:
                return False
        return True

    def give_up(self, reason: str) -> None:
        """Go on without the extension, and say so."""
        if switched_on("NUMNET_REQUIRE_EXT"):
            raise RuntimeError(f"numnet: {reason}")
        print(f"numnet: {reason}. Installing without: everything works, more slowly.", file=sys.stderr)
        self.extensions = []


def extensions() -> list[Extension]:
    if switched_on("NUMNET_NO_EXT"):
        return []
    import numpy
    from Cython.Build import cythonize

    families = [
        Extension(
            f"numnet._ext.{module}",
            [str(SOURCES / f"{module}.pyx")],
            include_dirs=[numpy.get_include(), str(SOURCES)],
            define_macros=[(name, "NPY_2_0_API_VERSION") for name in ("NPY_NO_DEPRECATED_API", "NPY_TARGET_VERSION")],
            depends=sorted(str(path) for path in SOURCES.glob("*.[ch]")),
        )
        for module in FAMILIES
        if (SOURCES / f"{module}.pyx").exists()
    ]
    python = [Extension(f"numnet.{module}", [f"numnet/{module.replace('.', '/')}.py"]) for module in PYTHON]
    return [
        *cythonize(families, build_dir="build/cython", compiler_directives={"language_level": 3, "cdivision": True}),
        *cythonize(  # annotations are mypy's: they bind nothing
            python, build_dir="build/cython", compiler_directives={"language_level": 3, "annotation_typing": False}
        ),
    ]


setup(ext_modules=extensions(), cmdclass={"build_ext": BuildKernels})
