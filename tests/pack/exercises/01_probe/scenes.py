def twice(answer, x):
    return {"first": answer.double(x), "second": answer.double(answer.double(x))}
