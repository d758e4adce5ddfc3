document.body.classList.add("js");
startViewer();
startPanel();
startDrawing();
startFilters();
startJudging();
