// The pages for operators: shows a new page when the cluster has changed. Without this script, a reload does it.
