import nobody_has_this


def f(n: int):
    return nobody_has_this.g(n)
