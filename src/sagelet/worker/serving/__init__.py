"""Serving in the project's interpreter: the handler contract, its defaults, and hot reload.

loop         reads frames, answers them; one request at a time
loading      pre_model_fn, model_fn, model_warmup_fn, in that order, once a process
handlers     which function of the user's module (or which default) does what
answers      one request through the handlers and back to bytes
batches      several requests in one call of predict_batch_fn
streams      an answer in parts
differences  where the sane contract is kinder than the container
reloading    an edited module beside the running one, swapped in between two requests
stand_in_ts/ a `ts` for handlers that import TorchServe's functions
stand_in/    a `sagemaker_inference` for projects that do not have the real one installed
"""
